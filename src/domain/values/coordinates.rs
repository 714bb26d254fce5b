//! Geographic coordinates: a latitude and a longitude (WGS 84).

use std::hash::{Hash, Hasher};

use crate::domain::values::degrees::{Latitude, Longitude};
use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Mean radius of the Earth in kilometres (IUGG).
const EARTH_RADIUS_KM: f64 = 6371.0088;

/// Latitude and longitude in decimal degrees, of at most twenty decimal places.
const PATTERN: &str = "^-?(90(\\.0{1,20})?|[1-8]?[0-9](\\.[0-9]{1,20})?),\
    -?(180(\\.0{1,20})?|(1[0-7][0-9]|[1-9]?[0-9])(\\.[0-9]{1,20})?)$";

/// A point on the Earth. As text: latitude, comma, longitude.
#[derive(Clone, Copy, Debug)]
pub struct Coordinates {
    latitude: Latitude,
    longitude: Longitude,
}

impl Coordinates {
    /// The point with this latitude and longitude; `None` if one of them is out of its range.
    #[must_use]
    pub fn of(latitude: f64, longitude: f64) -> Option<Self> {
        Some(Self { latitude: Latitude::parse(latitude).ok()?, longitude: Longitude::parse(longitude).ok()? })
    }

    /// The great-circle distance in kilometres (haversine formula), on a sphere.
    #[must_use]
    pub fn distance_km(self, other: Self) -> f64 {
        let (from, to) = (self.latitude.get().to_radians(), other.latitude.get().to_radians());
        let north = ((to - from) / 2.0).sin();
        let east = ((other.longitude.get() - self.longitude.get()).to_radians() / 2.0).sin();
        let haversine = north * north + from.cos() * to.cos() * east * east;
        2.0 * EARTH_RADIUS_KM * haversine.sqrt().min(1.0).asin()
    }

    fn bits(self) -> [u64; 2] {
        [self.latitude.get().to_bits(), self.longitude.get().to_bits()]
    }
}

/// Compares the bits: a number of floating point is not [`Eq`].
impl PartialEq for Coordinates {
    fn eq(&self, other: &Self) -> bool {
        self.bits() == other.bits()
    }
}

impl Eq for Coordinates {}

impl Hash for Coordinates {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bits().hash(state);
    }
}

impl Value for Coordinates {
    const SHAPE: Shape = Shape::Text { min: 0, max: None, format: None, pattern: Some(PATTERN) };

    fn from_text(text: &str) -> Result<Self, Violation> {
        let malformed =
            || Violation::of_value("coordinates", "must be a latitude and a longitude, such as 52.52,13.405");
        let (latitude, longitude) = text.split_once(',').ok_or_else(malformed)?;
        let degrees = |text: &str| is_plain(text).then(|| text.parse().ok()).flatten().ok_or_else(malformed);
        let (latitude, longitude) = (degrees(latitude)?, degrees(longitude)?);
        Ok(Self { latitude: Latitude::parse(latitude)?, longitude: Longitude::parse(longitude)? })
    }
}

/// Whether a text is a decimal number without an exponent or leading zeros.
fn is_plain(text: &str) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, fraction) = text.split_once('.').map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let are_digits =
        |text: &str, max: usize| (1..=max).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    are_digits(whole, 3)
        && (whole.len() == 1 || !whole.starts_with('0'))
        && fraction.is_none_or(|fraction| are_digits(fraction, 20))
}

#[cfg(test)]
mod tests {
    use super::Coordinates;
    use crate::domain::values::value::Value as _;

    #[test]
    fn coordinates_are_two_decimal_numbers_in_range() {
        for good in ["52.52,13.405", "-90,180", "0,-0.1357", "52.520008199999996,13.404953999999998", "90.0,-180.00"] {
            assert!(Coordinates::from_text(good).is_ok(), "{good}");
        }
        for (wrong, code) in [
            ("", "coordinates"),
            ("52.52", "coordinates"),
            ("52.52,", "coordinates"),
            ("52.52, 13.4", "coordinates"),
            ("52.52,13.4,0", "coordinates"),
            ("1e1,2", "coordinates"),
            ("NaN,2", "coordinates"),
            ("+1,2", "coordinates"),
            ("052,2", "coordinates"),
            (".5,2", "coordinates"),
            ("5.,2", "coordinates"),
            ("90.5,2", "range"),
            ("2,-180.0001", "range"),
        ] {
            assert_eq!(Coordinates::from_text(wrong).unwrap_err().code, code, "{wrong}");
        }
    }

    #[test]
    fn distances_are_those_of_great_circles() {
        let at = |text: &str| Coordinates::from_text(text).unwrap();
        for (from, to, kilometres) in [
            ("52.52,13.405", "52.52,13.405", 0.0),
            // Berlin to Paris.
            ("52.52,13.405", "48.8566,2.3522", 877.5),
            // A degree of latitude, and a degree of longitude across the date line.
            ("0,0", "1,0", 111.195),
            ("0,179.5", "0,-179.5", 111.195),
            // To the other side.
            ("90,0", "-90,0", 20_015.1),
        ] {
            let distance = at(from).distance_km(at(to));
            assert!((distance - kilometres).abs() < 0.5, "{from} {to}: {distance}");
        }
    }
}
