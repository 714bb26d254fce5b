//! Catalogue of `care4u seed`: common vaccines with their usual schedules. The manufacturers are invented, because
//! products differ from country to country; a clinic deactivates what it does not stock.

use uuid::Uuid;

use crate::domain::vaccination::vaccines::{AgeMonths, Doses, IntervalDays, NewVaccine, VaccineCode, VaccineName};
use crate::error::Result;

/// Code, name, manufacturer, doses, days between doses, minimum and maximum age in months.
type Row = (&'static str, &'static str, &'static str, i32, i32, Option<i32>, Option<i32>);

#[rustfmt::skip]
const ROWS: [Row; 14] = [
    ("BCG",       "Tuberculosis (BCG)",                          "Northlight Vaccines", 1,   0, Some(0),   Some(72)),
    ("HEPB",      "Hepatitis B",                                 "Meridian Biologics",  3,  28, Some(0),   None),
    ("DTAP",      "Diphtheria, tetanus, pertussis (children)",   "Meridian Biologics",  5,  28, Some(2),   Some(83)),
    ("TDAP",      "Tetanus, diphtheria, pertussis (booster)",    "Meridian Biologics",  1,   0, Some(84),  None),
    ("IPV",       "Poliomyelitis, inactivated",                  "Northlight Vaccines", 4,  28, Some(2),   None),
    ("HIB",       "Haemophilus influenzae type b",               "Harbour Life Science", 3, 28, Some(2),   Some(59)),
    ("PCV",       "Pneumococcal, conjugate",                     "Harbour Life Science", 3, 56, Some(2),   None),
    ("ROTA",      "Rotavirus",                                   "Northlight Vaccines", 2,  28, Some(1),   Some(8)),
    ("MMR",       "Measles, mumps, rubella",                     "Meridian Biologics",  2,  28, Some(9),   None),
    ("VAR",       "Varicella",                                   "Harbour Life Science", 2, 84, Some(12),  None),
    ("MENACWY",   "Meningococcal ACWY",                          "Harbour Life Science", 2, 56, Some(12),  Some(311)),
    ("HPV",       "Human papillomavirus",                        "Northlight Vaccines", 2, 150, Some(108), Some(551)),
    ("FLU",       "Influenza, seasonal",                         "Meridian Biologics",  1,   0, Some(6),   None),
    ("COVID19",   "COVID-19, seasonal",                          "Northlight Vaccines", 1,   0, Some(6),   None),
];

/// Id of the vaccine in a row. It is the same in every database, so that examples in documentation work.
const fn id(row: usize) -> Uuid {
    Uuid::from_u128(0x0190_0000_0000_7000_8000_0000_0000_0001 + row as u128)
}

/// Id of the vaccine `MMR`, for examples.
pub const EXAMPLE_ID: &str = "01900000-0000-7000-8000-000000000009";

/// The vaccines of the catalogue, with their ids.
///
/// # Errors
/// None in practice: a test parses every row.
pub fn common() -> Result<Vec<(Uuid, NewVaccine)>> {
    let vaccine = |(row, (code, name, manufacturer, doses, days, min_age, max_age)): (usize, Row)| {
        let age = |months: Option<i32>| months.map(|months| AgeMonths::parse(months.into())).transpose();
        let vaccine = NewVaccine {
            code: VaccineCode::parse(code)?,
            name: VaccineName::parse(name)?,
            manufacturer: VaccineName::parse(manufacturer)?,
            doses: Doses::parse(doses.into())?,
            min_interval_days: IntervalDays::parse(days.into())?,
            min_age_months: age(min_age)?,
            max_age_months: age(max_age)?,
            course_id: None,
            cvx_code: None,
            also_counts_for: Vec::new(),
        };
        Ok((id(row), vaccine))
    };
    ROWS.into_iter().enumerate().map(vaccine).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_vaccine_of_the_catalogue_is_valid() {
        let common = super::common().unwrap();
        assert_eq!(common.len(), super::ROWS.len());
        let (id, _) = common.iter().find(|(_, vaccine)| vaccine.code.as_str() == "MMR").unwrap();
        assert_eq!(id.to_string(), super::EXAMPLE_ID);
    }
}
