//! Text edits by position. Text that is not edited stays as it is.

use std::ops::Range;

use proc_macro2::Span;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;

/// Replacements of parts of a text.
#[derive(Clone, Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, part: Range<usize>, new: impl Into<String>) {
        self.0.push((part, new.into()));
    }

    pub(super) fn insert(&mut self, position: usize, new: impl Into<String>) {
        self.replace(position..position, new);
    }

    pub(super) fn apply(mut self, text: &str) -> String {
        self.0.sort_by_key(|(part, _)| (part.start, part.end));
        let mut result = String::with_capacity(text.len());
        let mut position = 0;
        for (part, new) in &self.0 {
            // An insertion into a removed part is removed with it.
            if part.start >= position {
                result.push_str(text.get(position..part.start).unwrap_or_default());
                result.push_str(new);
            }
            position = position.max(part.end);
        }
        result.push_str(text.get(position..).unwrap_or_default());
        result
    }
}

/// The byte range of an item in the source.
pub(super) fn part(item: &impl Spanned) -> Range<usize> {
    item.span().byte_range()
}

pub(super) fn text_of<'a>(text: &'a str, item: &impl Spanned) -> &'a str {
    text.get(part(item)).unwrap_or_default()
}

/// The text without white space, which has no meaning in types and paths.
pub(super) fn compact(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

pub(super) fn line_start(text: &str, position: usize) -> usize {
    text.get(..position).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

/// The end of the line, if only a comment follows; otherwise the position itself.
pub(super) fn line_end(text: &str, position: usize) -> usize {
    free_line_end(text, position).unwrap_or(position)
}

fn free_line_end(text: &str, position: usize) -> Option<usize> {
    let line = text.get(position..)?.split('\n').next()?.trim_end();
    let rest = line.trim_start();
    (rest.is_empty() || rest.starts_with("//")).then_some(position + line.len())
}

/// Removes a part: with its lines if nothing else is on them, otherwise with the white space after
/// it.
pub(super) fn remove(text: &str, edits: &mut Edits, part: Range<usize>) {
    let start = line_start(text, part.start);
    let stands_first = text.get(start..part.start).is_some_and(|blank| blank.trim().is_empty());
    let Some(end) = free_line_end(text, part.end).filter(|_| stands_first) else {
        let after = text.get(part.end..).unwrap_or_default();
        let blanks = after.len() - after.trim_start_matches(' ').len();
        edits.replace(part.start..part.end + blanks, "");
        return;
    };
    let after = text.get(end..).unwrap_or_default();
    let mut end = end + after.find('\n').map_or(after.len(), |newline| newline + 1);
    let mut start = start;
    let (before, after) = (text.get(..start).unwrap_or_default(), text.get(end..).unwrap_or_default());
    // No blank line may remain at the start or the end of a block.
    if before.trim_end().ends_with('{') {
        end += blank_lines(after);
    }
    if after.trim_start().starts_with('}') {
        start = start.min(before.trim_end().len() + 1);
    }
    edits.replace(start..end, "");
}

fn blank_lines(text: &str) -> usize {
    text.split_inclusive('\n').take_while(|line| line.trim().is_empty()).map(str::len).sum()
}

/// A list in the source: fields, variants, array elements, macro arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct List {
    /// After the opening delimiter.
    open: usize,
    items: Vec<Item>,
}

#[derive(Clone, Debug)]
struct Item {
    part: Range<usize>,
    /// After the comma.
    comma: Option<usize>,
}

impl List {
    pub(super) fn new<T: Spanned, P: Spanned>(open: Span, items: &Punctuated<T, P>) -> Self {
        let items = items.pairs().map(|pair| {
            let (item, comma) = pair.into_tuple();
            (part(item), comma.map(|comma| part(comma).end))
        });
        Self::of(open.byte_range().end, items)
    }

    pub(super) fn of(open: usize, items: impl Iterator<Item = (Range<usize>, Option<usize>)>) -> Self {
        Self { open, items: items.map(|(part, comma)| Item { part, comma }).collect() }
    }

    pub(super) fn len(&self) -> usize {
        self.items.len()
    }

    pub(super) fn remove(&self, text: &str, edits: &mut Edits, position: usize) {
        if let Some(item) = self.items.get(position) {
            remove(text, edits, item.part.start..item.comma.unwrap_or(item.part.end));
        }
    }

    /// Adds an item after another one, which must not be removed, or at the start.
    pub(super) fn add(&self, text: &str, edits: &mut Edits, after: Option<usize>, new: &str) {
        match after.and_then(|position| self.items.get(position)) {
            None => edits.insert(self.open, format!("\n{new},")),
            Some(Item { part, comma: None }) => edits.insert(part.end, format!(",\n{new}")),
            Some(Item { comma: Some(comma), .. }) => edits.insert(line_end(text, *comma), format!("\n{new},")),
        }
    }
}
