//! The catalogue that `care4u seed` brings: common vaccines with the schedules that are usual for them. The makers are
//! invented, because products differ from country to country; a clinic edits what it does not stock.

use crate::domain::vaccination::vaccines::NewVaccine;

/// Code, name, maker, doses, days between doses, youngest and oldest age in months.
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

/// The catalogue, ready to be added.
#[must_use]
pub fn common() -> Vec<NewVaccine> {
    ROWS.into_iter()
        .map(|(code, name, manufacturer, doses, min_interval_days, min_age_months, max_age_months)| NewVaccine {
            code: code.to_owned(),
            name: name.to_owned(),
            manufacturer: manufacturer.to_owned(),
            doses,
            min_interval_days,
            min_age_months,
            max_age_months,
        })
        .collect()
}
