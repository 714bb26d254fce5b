//! Full names: split into a first and a last name where a file has only the whole.

/// What is behind a comma, but is no first name.
const SUFFIXES: [&str; 22] = [
    "phd", "ph.d", "md", "m.d", "dr", "msc", "bsc", "ma", "ba", "mba", "rn", "esq", "jr", "sr", "ii", "iii", "inc",
    "ltd", "llc", "gmbh", "ag", "sa",
];

/// Splits a full name at its last blank, or after a comma behind its first word. One word is a first name; the name of an
/// organization is none of a person.
pub(super) fn split(full: &str, organization: &str) -> (String, String) {
    let full = full.trim();
    let is_organization = |rest: &str| rest.is_empty() || rest.starts_with(", ");
    if organization.strip_prefix(full).is_some_and(is_organization) {
        return (String::new(), String::new());
    }
    if let Some((before, after)) = full.split_once(',').map(|(before, after)| (before.trim(), after.trim())) {
        if SUFFIXES.contains(&after.trim_end_matches('.').to_lowercase().as_str()) {
            // Not the first name.
            let (first, last) = before.rsplit_once(char::is_whitespace).unwrap_or(("", before));
            return (first.trim_end().to_owned(), format!("{last}, {after}"));
        }
        if !before.is_empty() && !after.is_empty() && !before.contains(char::is_whitespace) {
            return (after.to_owned(), before.to_owned());
        }
    }
    let (first, last) = full.rsplit_once(char::is_whitespace).unwrap_or((full, ""));
    (first.trim_end().to_owned(), last.to_owned())
}

/// First and last name, from one part of the name and the full name.
///
/// A part beside a fuller name is the beginning or the end of it; a part of several words without a fuller name is the whole.
pub(super) fn complete(given: String, family: String, full: &str, organization: &str) -> (String, String) {
    let full = full.trim();
    match (given.is_empty(), family.is_empty()) {
        (false, false) => (given, family),
        (true, true) => split(full, organization),
        (false, true) => match rest(full, &given) {
            Some(family) => (given, family),
            None => split(&given, organization),
        },
        (true, false) => match rest(full, &family) {
            Some(given) => (given, family),
            None if family.contains(char::is_whitespace) && full == family => split(&family, organization),
            None => (given, family),
        },
    }
}

/// What a full name has beside a part at its beginning or its end.
fn rest(full: &str, part: &str) -> Option<String> {
    let after = full.strip_prefix(part).filter(|rest| rest.starts_with(char::is_whitespace));
    let before = full.strip_suffix(part).filter(|rest| rest.ends_with(char::is_whitespace));
    after.or(before).map(str::trim).filter(|rest| !rest.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn a_part_of_a_name_is_completed_by_the_full_name() {
        for (given, family, full, expected) in [
            ("Tove", "Lind", "Somebody Else", ("Tove", "Lind")),
            ("", "", "Tove Lind", ("Tove", "Lind")),
            ("", "", "Grace Brewster Hopper", ("Grace Brewster", "Hopper")),
            ("", "", "Sukarno", ("Sukarno", "")),
            ("", "", "Lind, Tove", ("Tove", "Lind")),
            ("", "", "Tove Lind, PhD", ("Tove", "Lind, PhD")),
            ("", "", "Acme, Inc.", ("", "Acme, Inc.")),
            ("Tove Lind", "", "", ("Tove", "Lind")),
            ("Tove Lind", "", "Tove Lind", ("Tove", "Lind")),
            ("Tove", "", "Tove Lind", ("Tove", "Lind")),
            ("Tove", "", "Lind Tove", ("Tove", "Lind")),
            ("", "Lind", "Tove Lind", ("Tove", "Lind")),
            ("", "Lind", "Lind", ("", "Lind")),
            ("Sukarno", "", "Sukarno", ("Sukarno", "")),
            ("", "van der Berg", "", ("", "van der Berg")),
            ("", "Tove Lind", "Tove Lind", ("Tove", "Lind")),
        ] {
            let (first, last) = complete(given.to_owned(), family.to_owned(), full, "");
            assert_eq!((first.as_str(), last.as_str()), expected, "{given:?} {family:?} {full:?}");
        }
    }
}
