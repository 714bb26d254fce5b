//! Search and sort order of text: case-insensitive in any script, without wildcards.

use std::collections::BTreeSet;

use icu_normalizer::DecomposingNormalizerBorrowed;

use crate::domain::values::text::Line;
use crate::domain::values::value::{Shape, Value};
use crate::error::Violation;

/// Search text of at most ten words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SearchText(Line<{ SearchText::MAX_CHARS }>);

impl SearchText {
    /// Maximum number of characters.
    pub const MAX_CHARS: usize = 200;
    /// Maximum number of words.
    pub const MAX_WORDS: usize = 10;

    /// Parses a search text.
    ///
    /// # Errors
    /// A violation `blank`, `control`, `length` or `words`.
    pub fn parse(raw: &str) -> Result<Self, Violation> {
        let line = Line::parse(raw)?;
        let words = Ord::max(line.as_str().split_whitespace().count(), searched_words(line.as_str()).len());
        if words > Self::MAX_WORDS {
            return Err(Violation::of_value("words", format!("must be at most {} words", Self::MAX_WORDS)));
        }
        Ok(Self(line))
    }

    /// Words of names, and whole e-mail addresses, longest first.
    #[must_use]
    pub fn folded_words(&self) -> Vec<String> {
        let mut words: Vec<_> = searched_words(self.0.as_str()).into_iter().collect();
        words.sort_by_key(|word| std::cmp::Reverse(word.len()));
        words
    }

    /// Words.
    pub fn words(&self) -> impl Iterator<Item = &str> {
        self.0.as_str().split_whitespace()
    }
}

impl Value for SearchText {
    const SHAPE: Shape = Shape::text(1, Self::MAX_CHARS);

    fn from_text(text: &str) -> Result<Self, Violation> {
        Self::parse(text)
    }
}

/// Folds text for searching and sorting: converts it to lower case, with `ß` as `ss` and one form of sigma, and
/// decomposes it (Unicode NFD), so that it does not matter how an accent was typed, and `é` is sorted after `e`.
#[must_use]
pub fn fold(text: &str) -> String {
    if text.is_ascii() {
        return text.to_ascii_lowercase();
    }
    // To upper case and back, because several lower-case letters can have the same upper-case letter.
    let folded: String = text.chars().flat_map(char::to_uppercase).flat_map(char::to_lowercase).collect();
    DecomposingNormalizerBorrowed::new_nfd().normalize(&folded).into_owned()
}

/// The folded words by which a name is found. Each word with accents is found with them, and without.
#[must_use]
pub fn index_words(name: &str) -> BTreeSet<String> {
    let mut all = words(name);
    let plain: Vec<String> = all.iter().map(|word| word.chars().filter(|c| !is_accent(*c)).collect()).collect();
    all.extend(plain.into_iter().filter(|word| !word.is_empty()));
    all
}

/// Whether a character of decomposed text is an accent (combining diacritical marks).
const fn is_accent(character: char) -> bool {
    matches!(character, '\u{300}'..='\u{36f}')
}

/// The folded words of a name. They are separated by white space and punctuation.
fn words(name: &str) -> BTreeSet<String> {
    let is_separator = |c: char| c.is_whitespace() || "-.,'\u{2019}()/".contains(c);
    fold(name).split(is_separator).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// The words of a search: those of a name, or whole e-mail addresses.
fn searched_words(text: &str) -> BTreeSet<String> {
    let (addresses, names): (Vec<_>, Vec<_>) = text.split_whitespace().partition(|part| part.contains('@'));
    let names = names.into_iter().flat_map(words);
    addresses.into_iter().map(str::to_lowercase).chain(names).collect()
}

/// Pattern for `LIKE … ESCAPE '\'` that matches `text` anywhere. Wildcards in `text` are escaped.
#[must_use]
pub fn contains_pattern(text: &str) -> String {
    let mut pattern = String::from("%");
    for character in fold(text).chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{SearchText, contains_pattern, fold, index_words};

    #[test]
    fn letter_case_does_not_matter_in_any_script() {
        for (one, other) in
            [("ЖУК Éa ÀB", "жук éA àb"), ("Straße", "STRASSE"), ("ΟΔΟΣ", "οδος"), ("ΣΑΣ", "σας"), ("Ǆ", "ǆ")]
        {
            assert_eq!(fold(one), fold(other));
        }
    }

    #[test]
    fn it_does_not_matter_how_an_accent_was_typed() {
        assert_eq!(fold("\u{e9}"), fold("e\u{301}"));
        assert_ne!(fold("\u{e9}"), fold("e"));
        assert_eq!(fold("한글"), fold("\u{1112}\u{1161}\u{11ab}\u{1100}\u{1173}\u{11af}"));
    }

    #[test]
    fn accented_letters_are_sorted_behind_their_plain_ones() {
        let mut names = ["Zander", "Ärzte", "Fabre", "Émile", "Arnold", "Ezra"].map(fold);
        names.sort();
        assert_eq!(names, ["Arnold", "Ärzte", "Ezra", "Émile", "Fabre", "Zander"].map(fold));
    }

    #[test]
    fn a_name_has_words_and_an_address_is_one() {
        let words = |text: &str| SearchText::parse(text).unwrap().folded_words();
        assert_eq!(words("Anne-Marie O'Neill  (Dr.)"), ["marie", "neill", "anne", "dr", "o"]);
        assert_eq!(words("King ADA.L@example.org"), ["ada.l@example.org", "king"]);
        assert!(words("-.").is_empty());
    }

    #[test]
    fn a_name_is_found_with_its_accents_and_without() {
        let found = |text: &str| index_words(text).into_iter().collect::<Vec<_>>();
        assert_eq!(found("Müller"), ["muller", "mu\u{308}ller"]);
        assert_eq!(found("Ada \u{301}"), ["ada", "\u{301}"]);
    }

    #[test]
    fn punctuation_makes_no_more_words_than_white_space() {
        assert!(SearchText::parse("a b c d e f g h i j").is_ok());
        for text in ["a b c d e f g h i j k", "a-b-c-d-e-f-g-h-i-j-k"] {
            assert_eq!(SearchText::parse(text).unwrap_err().code, "words");
        }
    }

    #[test]
    fn wildcards_are_ordinary_characters() {
        assert_eq!(contains_pattern(r"50%_\"), r"%50\%\_\\%");
    }
}
