//! Full names (FN of vCard, columns such as Display Name): completes a first and a last name of which a file has only one part or
//! none, and tells what was left out.

/// What is behind a comma, but is no first name.
const SUFFIXES: [&str; 22] = [
    "phd", "ph.d", "md", "m.d", "dr", "msc", "bsc", "ma", "ba", "mba", "rn", "esq", "jr", "sr", "ii", "iii", "inc",
    "ltd", "llc", "gmbh", "ag", "sa",
];

/// What is before a first name, but is no last name.
const PREFIXES: [&str; 10] = ["dr", "mr", "mrs", "ms", "miss", "prof", "sir", "rev", "herr", "frau"];

/// A first and a last name.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct PersonName {
    pub first: String,
    pub last: String,
    /// What of the file the two do not have.
    pub left_out: Option<LeftOut>,
}

/// What was left out of a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum LeftOut {
    /// The first or the last name: the full name is another one, and has more words.
    Parts,
    /// The full name, or words of it.
    FullName,
}

impl PersonName {
    fn new(first: &str, last: &str) -> Self {
        Self { first: first.trim().to_owned(), last: last.trim().to_owned(), left_out: None }
    }

    fn leaving_out(self, left_out: LeftOut) -> Self {
        Self { left_out: Some(left_out), ..self }
    }
}

/// Makes a first and a last name of the parts of a name, each of which may be empty, and the full name.
///
/// A part within a fuller name has the rest of it beside it. If the full name has other words, and more of them, it is taken
/// instead of a part.
pub(super) fn complete(first: &str, last: &str, full: &str, organization: &str) -> PersonName {
    let full = full.trim();
    let is_of_person = !full.is_empty() && !is_name_of(organization, full);
    match (first, last) {
        ("", "") if is_of_person => split(full),
        ("", "") => PersonName::default(),
        (first, last) if !is_of_person => whole(first, last),
        (first, "") => match around(full, first) {
            Some(("", "")) => whole(first, ""),
            Some((before, after)) => around_first(first, before, after),
            None => unlike(PersonName::new(first, ""), full),
        },
        ("", last) => match around(full, last) {
            Some(("", "")) if has_words(last) => split(last),
            Some((before, after)) => around_last(last, before, after),
            None => unlike(PersonName::new("", last), full),
        },
        (first, last) => {
            let name = PersonName::new(first, last);
            if has_other_words(full, &[first, last, organization]) { name.leaving_out(LeftOut::FullName) } else { name }
        }
    }
}

/// A name without a fuller one. A first name of several words is a first and a last name.
fn whole(first: &str, last: &str) -> PersonName {
    if last.is_empty() { split(first) } else { PersonName::new(first, last) }
}

/// Splits a full name after a comma, or else at its last blank. One word is a first name.
fn split(full: &str) -> PersonName {
    if let Some((before, after)) =
        full.rsplit_once(',').filter(|(before, after)| !before.is_empty() && is_suffix(after))
    {
        let name = split(before.trim());
        let last = if name.last.is_empty() { name.first.as_str() } else { name.last.as_str() };
        let first = if name.last.is_empty() { "" } else { name.first.as_str() };
        return PersonName::new(first, &format!("{last}, {}", after.trim()));
    }
    match full.split_once(',').map(|(before, after)| (before.trim(), after.trim())) {
        Some((last, first)) if !first.is_empty() && !last.is_empty() => PersonName::new(first, last),
        _ => {
            let (first, last) = full.rsplit_once(char::is_whitespace).unwrap_or((full, ""));
            PersonName::new(first, last)
        }
    }
}

/// The name of which one part is the first name, and what is before and after it in the full name.
fn around_first(first: &str, before: &str, after: &str) -> PersonName {
    let first_names = || joined(before, joined(first, after).as_str());
    match (before.strip_suffix(','), after.strip_prefix(',')) {
        (Some(last), _) if after.starts_with(',') => PersonName::new(first, &format!("{}{after}", last.trim())),
        (Some(last), _) => PersonName::new(&joined(first, after), last),
        (None, Some(suffix)) if before.is_empty() && !is_suffix(suffix) => PersonName::new(first, suffix),
        (None, _) if before.is_empty() && !after.starts_with(',') => PersonName::new(first, after),
        (None, None) if after.is_empty() && !is_prefix(before) => PersonName::new(first, before),
        (None, None) if !after.is_empty() => PersonName::new(&joined(before, first), after),
        _ => PersonName::new(&first_names(), ""),
    }
}

/// The name of which one part is the last name, and what is before and after it in the full name.
fn around_last(last: &str, before: &str, after: &str) -> PersonName {
    match after.strip_prefix(',') {
        Some(suffix) if is_suffix(suffix) => PersonName::new(before, &format!("{last}{after}")),
        Some(first) => PersonName::new(first, &joined(before, last)),
        None if before.is_empty() => PersonName::new(after, last),
        None => PersonName::new(before, &joined(last, after)),
    }
}

/// One part of a name, and a full name without it.
fn unlike(name: PersonName, full: &str) -> PersonName {
    let is_fuller = has_words(full) && !full.contains('@');
    if is_fuller { split(full).leaving_out(LeftOut::Parts) } else { name.leaving_out(LeftOut::FullName) }
}

/// What is before and after a part in a full name: the part must be whole words of it, or in a script without blanks between
/// words, its beginning.
fn around<'a>(full: &'a str, part: &str) -> Option<(&'a str, &'a str)> {
    if let Some(rest) = full.strip_prefix(part).filter(|rest| !rest.is_empty() && full.chars().all(is_east_asian)) {
        return Some(("", rest));
    }
    let is_boundary = |character: Option<char>| character.is_none_or(|one| one.is_whitespace() || one == ',');
    full.char_indices().find_map(|(start, _)| {
        let (before, from_start) = full.split_at_checked(start)?;
        let rest = without_prefix(from_start, part)?;
        let is_whole = is_boundary(before.chars().next_back()) && is_boundary(rest.chars().next());
        is_whole.then(|| (before.trim(), rest.trim()))
    })
}

/// What follows a prefix, in any letter case.
fn without_prefix<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let mut rest = text.chars();
    let mut is_same =
        |character: char| rest.next().is_some_and(|other| other.to_lowercase().eq(character.to_lowercase()));
    prefix.chars().all(&mut is_same).then_some(rest.as_str())
}

/// Whether a full name has a word that its parts do not have. An initial stands for a word.
fn has_other_words(full: &str, parts: &[&str; 3]) -> bool {
    let [first, last, _] = parts;
    if full.strip_prefix(first).and_then(|rest| rest.strip_prefix(' ')) == Some(*last) {
        return false;
    }
    let words = |text: &str| {
        let words = text.split(|character: char| !character.is_alphanumeric()).filter(|word| !word.is_empty());
        words.map(str::to_lowercase).collect::<Vec<_>>()
    };
    let known: Vec<String> = parts.iter().flat_map(|part| words(part)).collect();
    let is_known = |word: &String| {
        let is_initial = word.chars().count() == 1;
        known.iter().any(|known| known == word || (is_initial && known.starts_with(word.as_str())))
    };
    let text = |texts: &[&str]| words(&texts.concat()).concat();
    let is_without_blanks = [text(&[first, last]), text(&[last, first])].contains(&text(&[full]));
    !is_without_blanks && !words(full).iter().all(is_known)
}

/// Whether a full name is that of the organization, perhaps without its department.
fn is_name_of(organization: &str, full: &str) -> bool {
    organization.strip_prefix(full).is_some_and(|rest| rest.is_empty() || rest.starts_with(", "))
}

fn joined(one: &str, other: &str) -> String {
    let blank = if one.is_empty() || other.is_empty() || other.starts_with(',') { "" } else { " " };
    format!("{}{blank}{}", one.trim(), other.trim())
}

fn has_words(text: &str) -> bool {
    text.trim().contains(char::is_whitespace)
}

fn is_suffix(text: &str) -> bool {
    // Several of them are separated by commas.
    let mut suffixes = text.split(',').map(|suffix| suffix.trim().trim_end_matches('.').to_lowercase());
    suffixes.all(|suffix| SUFFIXES.contains(&suffix.as_str()))
}

fn is_prefix(text: &str) -> bool {
    PREFIXES.contains(&text.trim_end_matches('.').to_lowercase().as_str())
}

fn is_east_asian(character: char) -> bool {
    matches!(character, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ac00}'..='\u{d7af}')
}

#[cfg(test)]
mod tests {
    use super::{LeftOut, complete};

    #[test]
    fn a_part_of_a_name_is_completed_by_the_full_name() {
        for (given, family, full, expected) in [
            ("Tove", "Lind", "", ("Tove", "Lind")),
            ("", "", "Tove Lind", ("Tove", "Lind")),
            ("", "", "Grace Brewster Hopper", ("Grace Brewster", "Hopper")),
            ("", "", "Sukarno", ("Sukarno", "")),
            ("", "", "Lind, Tove", ("Tove", "Lind")),
            ("", "", "García López, María", ("María", "García López")),
            ("", "", "de Vries, Jan", ("Jan", "de Vries")),
            ("", "", "Tove Lind, PhD", ("Tove", "Lind, PhD")),
            ("", "", "Tove Lind, PhD, M.D.", ("Tove", "Lind, PhD, M.D.")),
            ("", "", "Lind, Tove, PhD", ("Tove", "Lind, PhD")),
            ("", "", "Acme, Inc.", ("", "Acme, Inc.")),
            ("", "", ", Inc.", (",", "Inc.")),
            ("Tove Lind", "", "", ("Tove", "Lind")),
            ("Tove Lind", "", "Tove Lind", ("Tove", "Lind")),
            ("Tove", "", "Tove Lind", ("Tove", "Lind")),
            ("Tove", "", "Lind Tove", ("Tove", "Lind")),
            ("Tove", "", "Lind, Tove", ("Tove", "Lind")),
            ("Tove", "", "Lind, Tove Anna", ("Tove Anna", "Lind")),
            ("Tove", "", "Lind, Tove, PhD", ("Tove", "Lind, PhD")),
            ("Tove", "", "Tove, PhD", ("Tove, PhD", "")),
            ("Tove", "", "Dr. Tove", ("Dr. Tove", "")),
            ("Tove", "", "Dr. Tove Lind", ("Dr. Tove", "Lind")),
            ("", "Lind", "Tove Lind", ("Tove", "Lind")),
            ("", "LIND", "Tove Lind", ("Tove", "LIND")),
            ("", "Lind", "Lind", ("", "Lind")),
            ("", "Lind", "Lind, Tove", ("Tove", "Lind")),
            ("", "Lind", "Tove Lind, PhD", ("Tove", "Lind, PhD")),
            ("", "Lind", "Lind, PhD", ("", "Lind, PhD")),
            ("", "Lind", "Tove Lind (Work)", ("Tove", "Lind (Work)")),
            ("", "Vries", "de Vries, Jan", ("Jan", "de Vries")),
            ("", "García", "María García López", ("María", "García López")),
            ("", "山田", "山田太郎", ("太郎", "山田")),
            ("Sukarno", "", "Sukarno", ("Sukarno", "")),
            ("", "van der Berg", "", ("", "van der Berg")),
            ("", "Tove Lind", "Tove Lind", ("Tove", "Lind")),
        ] {
            let name = complete(given, family, full, "");
            assert_eq!((name.first.as_str(), name.last.as_str()), expected, "{given:?} {family:?} {full:?}");
            assert_eq!(name.left_out, None, "{given:?} {family:?} {full:?}");
        }
    }

    #[test]
    fn what_is_left_out_of_a_name_is_told() {
        use LeftOut::{FullName, Parts};
        for (given, family, full, organization, expected) in [
            ("Bob", "", "Robert Smith", "", ("Robert", "Smith", Some(Parts))),
            ("Ann", "", "Anna Smith", "", ("Anna", "Smith", Some(Parts))),
            ("", "Smith", "Mum", "", ("", "Smith", Some(FullName))),
            ("Bob", "", "bob@example.org", "", ("Bob", "", Some(FullName))),
            ("Bob", "", "Acme", "Acme, Sales", ("Bob", "", None)),
            ("", "", "Acme", "Acme, Sales", ("", "", None)),
            ("Bob", "Smith", "Bob Smith (Work)", "", ("Bob", "Smith", Some(FullName))),
            ("Bob", "Smith", "Bob Smith (Acme)", "Acme", ("Bob", "Smith", None)),
            ("Bob", "Smith", "SMITH, Bob", "", ("Bob", "Smith", None)),
            ("Grace Brewster", "Hopper", "Grace B. Hopper", "", ("Grace Brewster", "Hopper", None)),
            ("太郎", "山田", "山田太郎", "", ("太郎", "山田", None)),
        ] {
            let name = complete(given, family, full, organization);
            let found = (name.first.as_str(), name.last.as_str(), name.left_out);
            assert_eq!(found, expected, "{given:?} {family:?} {full:?}");
        }
    }
}
