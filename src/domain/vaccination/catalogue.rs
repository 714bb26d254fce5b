//! Catalogue of `care4u seed`: common vaccines with their usual schedules. The manufacturers are invented, because
//! products differ from country to country; a clinic deactivates what it does not stock.

use std::collections::BTreeMap;

use serde_json::Value;
use uuid::Uuid;

use crate::domain::vaccination::vaccines::{AgeMonths, Doses, IntervalDays, NewVaccine, VaccineCode, VaccineName};
use crate::domain::values::cvx::CvxCode;
use crate::error::{Error, Result};

/// Code, name, manufacturer, doses, days between doses, minimum and maximum age in months, CVX code.
type Row = (&'static str, &'static str, &'static str, i32, i32, Option<i32>, Option<i32>, Option<&'static str>);

#[rustfmt::skip]
const ROWS: [Row; 14] = [
    ("BCG",       "Tuberculosis (BCG)",                          "Northlight Vaccines", 1,   0, Some(0),   Some(72), Some("19")),
    ("HEPB",      "Hepatitis B",                                 "Meridian Biologics",  3,  28, Some(0),   None, Some("08")),
    ("DTAP",      "Diphtheria, tetanus, pertussis (children)",   "Meridian Biologics",  5,  28, Some(2),   Some(83), Some("20")),
    ("TDAP",      "Tetanus, diphtheria, pertussis (booster)",    "Meridian Biologics",  1,   0, Some(84),  None, Some("115")),
    ("IPV",       "Poliomyelitis, inactivated",                  "Northlight Vaccines", 4,  28, Some(2),   None, Some("10")),
    ("HIB",       "Haemophilus influenzae type b",               "Harbour Life Science", 3, 28, Some(2),   Some(59), Some("49")),
    ("PCV",       "Pneumococcal, conjugate",                     "Harbour Life Science", 3, 56, Some(2),   None, Some("133")),
    ("ROTA",      "Rotavirus",                                   "Northlight Vaccines", 2,  28, Some(1),   Some(8), Some("119")),
    ("MMR",       "Measles, mumps, rubella",                     "Meridian Biologics",  2,  28, Some(9),   None, Some("03")),
    ("VAR",       "Varicella",                                   "Harbour Life Science", 2, 84, Some(12),  None, Some("21")),
    ("MENACWY",   "Meningococcal ACWY",                          "Harbour Life Science", 2, 56, Some(12),  Some(311), Some("203")),
    ("HPV",       "Human papillomavirus",                        "Northlight Vaccines", 2, 150, Some(108), Some(551), Some("165")),
    ("FLU",       "Influenza, seasonal",                         "Meridian Biologics",  1,   0, Some(6),   None, Some("150")),
    ("COVID19",   "COVID-19, seasonal",                          "Northlight Vaccines", 1,   0, Some(6),   None, None),
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
    let vaccine = |(row, (code, name, manufacturer, doses, days, min_age, max_age, cvx)): (usize, Row)| {
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
            cvx_code: cvx.map(CvxCode::parse).transpose()?,
            also_counts_for: Vec::new(),
        };
        Ok((id(row), vaccine))
    };
    ROWS.into_iter().enumerate().map(vaccine).collect()
}

/// Schedules of the courses of the catalogue, by code, as documents. They follow the usual recommendations, with the ages and
/// intervals of the rows above; a health authority puts its own.
///
/// # Errors
/// None in practice: a test parses them.
pub fn schedules() -> Result<BTreeMap<String, Value>> {
    serde_json::from_str(include_str!("catalogue/schedules.json")).map_err(Error::internal)
}

#[cfg(test)]
mod tests {
    use crate::domain::vaccination::schedule::{self, Known};

    #[test]
    fn every_vaccine_of_the_catalogue_is_valid() {
        let common = super::common().unwrap();
        assert_eq!(common.len(), super::ROWS.len());
        let (id, _) = common.iter().find(|(_, vaccine)| vaccine.code.as_str() == "MMR").unwrap();
        assert_eq!(id.to_string(), super::EXAMPLE_ID);
    }

    #[test]
    fn every_course_of_the_catalogue_has_a_valid_schedule() {
        let codes = super::ROWS.iter().map(|row| row.0.to_owned()).collect();
        let known = Known { courses: codes, vaccines: [].into() };
        let schedules = super::schedules().unwrap();
        assert_eq!(schedules.keys().cloned().collect::<std::collections::BTreeSet<_>>(), known.courses);
        for (code, document) in schedules {
            assert!(schedule::parse(&document, &known).is_ok(), "{code}: {:?}", schedule::parse(&document, &known));
        }
    }
}
