//! Dates of files: the notations of birthdays that address books and spreadsheets write.

use crate::error::Violation;

/// Order of day and month in dates such as `1/20/1981`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateOrder {
    /// Month first.
    Mdy,
    /// Day first.
    Dmy,
}

/// Year, month and day, as far as they are known.
pub(super) type DateParts = [Option<i16>; 3];

/// Years that programs write if the year is not known: Apple's and Google's leap year, and zero.
pub(super) const UNKNOWN_YEARS: [i16; 2] = [1604, 0];

/// What the dates of a file tell about the order of day and month.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DateOrders {
    is_mdy: bool,
    is_dmy: bool,
}

impl DateOrders {
    /// Adds a date of the file.
    pub fn add(&mut self, text: &str) {
        if let Some(([first, second], _)) = slashed(text) {
            self.is_mdy |= second > 12;
            self.is_dmy |= first > 12;
        }
    }

    /// The order, if all dates agree.
    pub fn order(self) -> Option<DateOrder> {
        match (self.is_mdy, self.is_dmy) {
            (true, false) => Some(DateOrder::Mdy),
            (false, true) => Some(DateOrder::Dmy),
            _ => None,
        }
    }
}

/// Parses a date: `1985-12-10`, `19851210`, `1985/12/10`, `10.12.1985`, `12/10/1985` in an order, or without a year `--12-10`
/// and `--1210`. A time after it is ignored, as is a year that stands for none.
///
/// # Errors
/// A violation `date`, `partial` or `ambiguous`.
pub(super) fn parse_date(text: &str, order: Option<DateOrder>) -> Result<DateParts, Violation> {
    let text = without_time(text.trim());
    if text.is_empty() {
        return Ok([None; 3]);
    }
    let [year, month, day] = match slashed(text) {
        Some((numbers, year)) => in_order(numbers, year, order)?,
        None => dotted(text).or_else(|| iso(text)).ok_or_else(|| refused(text))?,
    };
    Ok([year.filter(|year| !UNKNOWN_YEARS.contains(year)), month, day])
}

/// The date of a date and time: `1985-12-10T00:00:00Z`, `1985-12-10 00:00`, `12/10/1985 12:00:00 AM`.
fn without_time(text: &str) -> &str {
    // Behind `10. 12. 1985`, or a date of at least six characters.
    let end = text.find(['T', 't', ' ']).filter(|end| *end >= 6).filter(|end| {
        let time = text.get(end + 1..).unwrap_or_default();
        (time.is_empty() || time.starts_with(|character: char| character.is_ascii_digit()))
            && text.starts_with(|character: char| character.is_ascii_digit() || character == '-')
    });
    end.and_then(|end| text.get(..end)).unwrap_or(text).trim_end()
}

fn refused(text: &str) -> Violation {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    // RFC 6350 §4.3.1: a year, a year and a month, a month, or a day.
    let count = text.bytes().filter(u8::is_ascii_digit).count();
    if digits && (count == 2 || count == 4 || count == 6) {
        return Violation::new("birthday", "partial", "must have a month and a day");
    }
    Violation::new("birthday", "date", "must be a date such as 1985-12-10, or --12-10 without a year")
}

/// Two numbers and a year of four digits, between slashes, or hyphens.
fn slashed(text: &str) -> Option<([i16; 2], i16)> {
    let text = without_time(text.trim());
    let separator = if text.contains('/') { '/' } else { '-' };
    let mut parts = text.split(separator).map(str::trim);
    let (first, second, year) = (parts.next()?, parts.next()?, parts.next()?);
    if parts.next().is_some() || year.len() != 4 {
        return None;
    }
    Some(([short(first)?, short(second)?], number(year)?))
}

fn in_order([first, second]: [i16; 2], year: i16, order: Option<DateOrder>) -> Result<DateParts, Violation> {
    let by_value = match (first > 12, second > 12) {
        (true, false) => Some(DateOrder::Dmy),
        (false, true) => Some(DateOrder::Mdy),
        _ if first == second => Some(DateOrder::Mdy),
        _ => None,
    };
    match by_value.or(order) {
        Some(DateOrder::Mdy) => Ok([Some(year), Some(first), Some(second)]),
        Some(DateOrder::Dmy) => Ok([Some(year), Some(second), Some(first)]),
        None => {
            let message = "can be read with the day or the month first; say which with the parameter dates";
            Err(Violation::new("birthday", "ambiguous", message))
        }
    }
}

/// Day, month and year between dots, as in most of Europe; the year may be missing. Or year, month and day.
fn dotted(text: &str) -> Option<DateParts> {
    let separator = ['.', '/'].into_iter().find(|separator| text.contains(*separator)).unwrap_or('-');
    let parts: Vec<&str> = text.trim_end_matches('.').split(separator).map(str::trim).collect();
    match parts.as_slice() {
        [year, month, day] if year.len() == 4 => Some([number(year), Some(short(month)?), Some(short(day)?)]),
        [day, month, year] if separator == '.' && year.len() == 4 => {
            Some([number(year), Some(short(month)?), Some(short(day)?)])
        }
        [day, month] if separator == '.' => Some([None, Some(short(month)?), Some(short(day)?)]),
        _ => None,
    }
}

/// ISO 8601, extended or basic, and without a year as in vCard.
fn iso(text: &str) -> Option<DateParts> {
    let (year, rest) = match text.strip_prefix("--") {
        Some(rest) => (None, rest),
        None => text.split_at_checked(4).map(|(year, rest)| (Some(year), rest))?,
    };
    let rest = if year.is_some() { rest.strip_prefix('-').unwrap_or(rest) } else { rest };
    let (month, day) = rest.split_at_checked(2)?;
    let day = day.strip_prefix('-').unwrap_or(day);
    let year = match year {
        Some(year) => Some(number(year)?),
        None => None,
    };
    let is_date = day.len() == 2;
    Some([year, Some(number(month)?), Some(number(day)?)]).filter(|_| is_date)
}

/// A number of one or two digits.
fn short(text: &str) -> Option<i16> {
    number(text).filter(|_| text.len() <= 2)
}

fn number(text: &str) -> Option<i16> {
    let are_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|_| are_digits)
}

#[cfg(test)]
mod tests {
    use super::{DateOrder, DateOrders, parse_date};

    #[test]
    fn dates_in_common_notations_are_parsed() {
        for text in [
            "1985-12-10",
            "19851210",
            " 1985-12-10 ",
            "1985/12/10",
            "1985-12-10T00:00:00Z",
            "19851210T000000",
            "1985-12-10 00:00:00",
            "10.12.1985",
            "1985.12.10",
            "1985-12-10T",
        ] {
            assert_eq!(parse_date(text, None).unwrap(), [Some(1985), Some(12), Some(10)], "{text}");
        }
        for text in
            ["--02-29", "--0229", "29.2.", "29.02", "1604-02-29", "16040229", "0000-02-29", "29.02.1604", "2/29/1604"]
        {
            assert_eq!(parse_date(text, None).unwrap(), [None, Some(2), Some(29)], "{text}");
        }
        assert_eq!(parse_date("", None).unwrap(), [None; 3]);
        assert_eq!(parse_date("1985-1-2", None).unwrap(), [Some(1985), Some(1), Some(2)]);
    }

    #[test]
    fn the_order_of_day_and_month_is_given_or_follows_from_the_date() {
        let parts = |text, order| parse_date(text, order).map_err(|violation| violation.code.into_owned());
        assert_eq!(parts("1/20/1981", None), Ok([Some(1981), Some(1), Some(20)]));
        assert_eq!(parts("20/1/1981 12:00:00 AM", None), Ok([Some(1981), Some(1), Some(20)]));
        assert_eq!(parts("5/5/1981", None), Ok([Some(1981), Some(5), Some(5)]));
        assert_eq!(parts("1/2/1981", None), Err("ambiguous".to_owned()));
        assert_eq!(parts("1/2/1981", Some(DateOrder::Mdy)), Ok([Some(1981), Some(1), Some(2)]));
        assert_eq!(parts("01-02-1981", Some(DateOrder::Dmy)), Ok([Some(1981), Some(2), Some(1)]));
        // The date itself decides before the order of the file.
        assert_eq!(parts("20/1/1981", Some(DateOrder::Mdy)), Ok([Some(1981), Some(1), Some(20)]));
        let mut orders = DateOrders::default();
        for (text, order) in
            [("1/2/1981", None), ("20.1.1981", None), ("20/1/1981", Some(DateOrder::Dmy)), ("1/20/1981", None)]
        {
            orders.add(text);
            assert_eq!(orders.order(), order, "{text}");
        }
    }

    #[test]
    fn what_is_no_date_is_a_violation_with_its_reason() {
        for (text, code) in [
            ("1985", "partial"),
            ("1985-12", "partial"),
            ("---12", "partial"),
            ("--12", "partial"),
            ("tomorrow", "date"),
            ("circa 1800", "date"),
            ("1/20/81", "date"),
            ("-1985-12-10", "date"),
            ("１９８５-12-10", "date"),
            ("--+1+2", "date"),
            ("1985-12-10x", "date"),
        ] {
            assert_eq!(parse_date(text, None).unwrap_err().code, code, "{text}");
        }
    }
}
