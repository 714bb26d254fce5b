//! A card: the properties that are kept, and the fields that they make.

use super::super::RowFields;
use super::super::fields::{BirthdayText, Fields, LabelledText, Warning};
use super::super::full_names::{self, LeftOut, PersonName};
use super::super::unused::Unused;
use super::MAX_BYTES;
use super::content_line::{ContentLine, Version};
use super::lines::Line;
use super::write::PRODUCT;
use crate::error::Violation;

/// Properties that are read.
const KEPT: [&str; 15] = [
    "VERSION",
    "PRODID",
    "KIND",
    "X-ADDRESSBOOKSERVER-KIND",
    "X-ABSHOWAS",
    "UID",
    "N",
    "FN",
    "ORG",
    "EMAIL",
    "TEL",
    "BDAY",
    "NOTE",
    "X-ABLABEL",
    "AGENT",
];

/// Properties that are left out without being reported: they describe the card, not the person.
const SILENT: [&str; 6] = ["REV", "CLASS", "SORT-STRING", "MAILER", "CATEGORIES", "PROFILE"];

/// Type words that are no label.
const NO_LABELS: [&str; 12] = [
    "INTERNET",
    "PREF",
    "VOICE",
    "X400",
    "MSG",
    "TEXT",
    "UTF-8",
    "QUOTED-PRINTABLE",
    "BASE64",
    "8BIT",
    "7BIT",
    "OTHER",
];

/// The most warnings of a card.
const MAX_WARNINGS: usize = 20;

/// Kinds of cards (KIND) that are not imported.
const OTHER_KINDS: [&str; 4] = ["group", "location", "device", "application"];

/// Card that is being read.
#[derive(Default)]
pub(super) struct Card {
    line: u64,
    /// Kept lines, each with its end.
    text: Vec<u8>,
    /// Properties that are not used.
    unused: Unused,
    warnings: Vec<Warning>,
    /// How many cards of agents are open (vCard 2.1 §2.4.3).
    agents: usize,
    is_agent_next: bool,
    /// Whether lines without a name are Base64 that was not indented.
    is_in_base64: bool,
    is_too_long: bool,
    is_converted: bool,
}

impl Card {
    /// A card whose first line is `BEGIN:VCARD`.
    pub fn begin(line: u64, is_converted: bool) -> Self {
        Self { line, is_converted, ..Self::default() }
    }

    /// Begins the card of an agent within this one, if this is where it must be.
    pub fn begin_agent(&mut self) -> bool {
        let is_agent = std::mem::take(&mut self.is_agent_next);
        self.agents += usize::from(is_agent);
        is_agent
    }

    /// Ends the card of an agent, or this one. Returns whether it is this one.
    pub fn end(&mut self) -> bool {
        let is_own = self.agents == 0;
        self.agents = self.agents.saturating_sub(1);
        is_own
    }

    /// Adds a line.
    pub fn add(&mut self, line: Line<'_>) {
        if line.is_blank() {
            return;
        }
        if self.agents > 0 {
            // The agent of an agent.
            let property = ContentLine::parse(line.octets).filter(|property| property.name == "AGENT");
            self.is_agent_next = property.as_ref().is_some_and(ContentLine::is_blank);
            self.agents += usize::from(property.is_some_and(|property| property.begins_card()));
            return;
        }
        let Some(property) = ContentLine::parse(line.octets) else {
            if !self.is_in_base64 && self.warnings.len() < MAX_WARNINGS {
                let violation = Violation::new(".", "line", "has a line that is not a property");
                self.warnings.push(Warning::new(violation, &String::from_utf8_lossy(line.octets)));
            }
            return;
        };
        self.is_in_base64 = property.is_base64();
        self.is_agent_next = property.name == "AGENT" && property.is_blank();
        self.agents += usize::from(property.name == "AGENT" && property.begins_card());
        if !KEPT.contains(&property.name.as_str()) || property.name == "AGENT" {
            // The value follows in lines of its own.
            let has_value = !property.has_blank_components() || self.is_agent_next || self.is_in_base64;
            if has_value && !SILENT.contains(&property.name.as_str()) {
                self.unused.add(&property.name, 1);
            }
            return;
        }
        self.is_too_long |= line.is_too_long || self.text.len() + line.octets.len() > MAX_BYTES;
        if !self.is_too_long {
            self.text.extend_from_slice(line.octets);
            self.text.push(b'\n');
        }
    }

    /// Row with the violation for a card without END:VCARD.
    pub fn incomplete(self) -> (u64, RowFields) {
        (self.line, Err(vec![Violation::new(".", "incomplete", "has no END:VCARD")]))
    }

    /// The fields of the card.
    pub fn finish(mut self, unused: &mut Unused) -> (u64, RowFields) {
        let fields = self.fields(unused).map_err(|violation| vec![violation]);
        unused.merge(self.unused);
        (self.line, fields)
    }

    fn fields(&mut self, unused: &mut Unused) -> Result<Fields, Violation> {
        if self.is_too_long {
            let message = format!("must have at most {MAX_BYTES} bytes, without photos and other ignored properties");
            return Err(Violation::new(".", "length", message));
        }
        let lines = self.text.split(|byte| *byte == b'\n').filter_map(ContentLine::parse);
        let lines: Vec<ContentLine<'_>> = lines.map(|line| line.converted(self.is_converted)).collect();
        let properties = Properties { version: version(&lines), lines };
        let (fields, left_out) = properties.fields()?;
        properties.count_unused(left_out, unused)?;
        Ok(Fields { warnings: std::mem::take(&mut self.warnings), ..fields })
    }
}

fn version(lines: &[ContentLine<'_>]) -> Version {
    let version = lines.iter().find(|line| line.name == "VERSION").and_then(|line| line.raw_text().ok());
    if version.is_some_and(|version| version.starts_with('2')) { Version::V2 } else { Version::V3 }
}

/// The kept properties of a card.
struct Properties<'a> {
    version: Version,
    lines: Vec<ContentLine<'a>>,
}

impl Properties<'_> {
    /// The fields, and what was left out of the name.
    fn fields(&self) -> Result<(Fields, Option<LeftOut>), Violation> {
        let kind = self.text("KIND")?.or(self.text("X-ADDRESSBOOKSERVER-KIND")?).unwrap_or_default().to_lowercase();
        if OTHER_KINDS.contains(&kind.as_str()) {
            return Err(Violation::new("kind", "kind", "is not a person or an organization"));
        }
        let full_name = self.text("FN")?.unwrap_or_default();
        let organization = match self.find("ORG") {
            Some(line) => {
                let parts = line.components(self.version)?.into_iter().filter(|part| !part.is_empty());
                parts.collect::<Vec<_>>().join(", ")
            }
            None => String::new(),
        };
        let shows_company = self.text("X-ABSHOWAS")?.is_some_and(|value| value.eq_ignore_ascii_case("COMPANY"));
        let is_organization = kind == "org" || shows_company;
        let organization = if is_organization && organization.is_empty() { full_name.clone() } else { organization };
        let name = self.name(&full_name, &organization, is_organization)?;
        let notes = self.all("NOTE").map(|line| line.text(self.version)).collect::<Result<Vec<_>, _>>()?;
        let fields = Fields {
            uid: self.text("UID")?.unwrap_or_default(),
            first_name: name.first,
            last_name: name.last,
            organization,
            emails: self.points("EMAIL")?,
            phone_numbers: self.points("TEL")?,
            notes: notes.into_iter().filter(|note| !note.is_empty()).collect(),
            birthday: self.birthday()?,
            warnings: Vec::new(),
        };
        Ok((fields, name.left_out))
    }

    /// Counts what a contact has no place for: another name, properties that are repeated, and honorific prefixes and suffixes.
    fn count_unused(&self, left_out: Option<LeftOut>, unused: &mut Unused) -> Result<(), Violation> {
        match left_out {
            Some(LeftOut::FullName) => unused.add("FN", 1),
            Some(LeftOut::Parts) => unused.add("N", 1),
            None => {}
        }
        for name in ["N", "FN", "ORG", "BDAY", "UID"] {
            let values = self.all(name).filter(|line| !line.has_blank_components()).count();
            unused.add(name, u64::try_from(values.saturating_sub(1)).unwrap_or(u64::MAX));
        }
        if let Some(line) = self.find("N") {
            let affixes = line.components(self.version)?.into_iter().skip(3).filter(|affix| !affix.is_empty());
            unused.add("N prefix or suffix", u64::try_from(affixes.count()).unwrap_or(u64::MAX));
        }
        Ok(())
    }

    fn all(&self, name: &'static str) -> impl Iterator<Item = &ContentLine<'_>> {
        self.lines.iter().filter(move |line| line.name == name)
    }

    /// The first property with a name that has a value.
    fn find(&self, name: &'static str) -> Option<&ContentLine<'_>> {
        self.all(name).find(|line| !line.is_blank())
    }

    fn text(&self, name: &'static str) -> Result<Option<String>, Violation> {
        self.find(name).map(|line| line.text(self.version)).transpose()
    }

    /// First and last name, from N, completed by FN.
    fn name(&self, full_name: &str, organization: &str, is_organization: bool) -> Result<PersonName, Violation> {
        let parts = self.find("N").map_or_else(|| Ok(Vec::new()), |line| line.components(self.version))?;
        let part = |index: usize| parts.get(index).cloned().unwrap_or_default();
        let first = [part(1), part(2)].into_iter().filter(|name| !name.is_empty()).collect::<Vec<_>>().join(" ");
        if is_organization || self.text("PRODID")?.as_deref() == Some(PRODUCT) {
            // As it was written: one name may have several words.
            return Ok(PersonName { first, last: part(0), left_out: None });
        }
        let full_name = [(3, true), (4, false)].into_iter().fold(full_name, |full_name, (index, is_prefix)| {
            let affix = part(index);
            let rest = if is_prefix { full_name.strip_prefix(&affix) } else { full_name.strip_suffix(&affix) };
            rest.filter(|_| !affix.is_empty()).map_or(full_name, |rest| rest.trim_matches([' ', ',']))
        });
        Ok(full_names::complete(&first, &part(0), full_name, organization))
    }

    /// E-mail addresses or telephone numbers: the preferred ones first, otherwise in their order.
    fn points(&self, name: &'static str) -> Result<Vec<LabelledText>, Violation> {
        let mut points = Vec::new();
        for line in self.all(name).filter(|line| !line.is_blank()) {
            let value = line.text(self.version)?;
            points.push((preference(line), LabelledText { label: self.label(line)?, value: without_scheme(&value) }));
        }
        points.sort_by_key(|(preference, _)| *preference);
        Ok(points.into_iter().map(|(_, point)| point).collect())
    }

    /// The label of the group, or else the types that say where or what it is.
    fn label(&self, line: &ContentLine<'_>) -> Result<String, Violation> {
        let mut labels = self.all("X-ABLABEL").filter(|label| !line.group.is_empty() && label.group == line.group);
        if let Some(label) = labels.next() {
            let label = label.text(self.version)?;
            let known = label.strip_prefix("_$!<").and_then(|label| label.strip_suffix(">!$_"));
            return Ok(known.map_or(label.clone(), str::to_lowercase));
        }
        let types = line.parameter("TYPE").filter(|word| !NO_LABELS.contains(&word.to_uppercase().as_str()));
        let words =
            types.map(|word| if word.eq_ignore_ascii_case("CELL") { "mobile".to_owned() } else { word.to_lowercase() });
        Ok(words.collect::<Vec<_>>().join(" "))
    }

    fn birthday(&self) -> Result<BirthdayText, Violation> {
        let Some(line) = self.find("BDAY") else { return Ok(BirthdayText::default()) };
        let text = if line.is_quoted_printable() { line.text(self.version)? } else { line.raw_text()? };
        // Programs that cannot store a date without a year write a placeholder year, and name it in this parameter.
        let omitted = line.parameter("X-APPLE-OMIT-YEAR").next().and_then(|year| text.strip_prefix(year));
        Ok(BirthdayText::Date(omitted.map_or(text.clone(), |rest| format!("--{}", rest.trim_start_matches('-')))))
    }
}

/// The preference of a value: 1 is the first, of those without a preference the greatest number.
fn preference(line: &ContentLine<'_>) -> u32 {
    let is_preferred = line.parameter("TYPE").any(|word| word.eq_ignore_ascii_case("PREF"));
    let rank = line.parameter("PREF").find_map(|rank| rank.parse().ok());
    rank.unwrap_or(if is_preferred { 1 } else { u32::MAX })
}

/// The number of a `tel:` URI, with `x` before its extension (RFC 3966).
fn without_scheme(value: &str) -> String {
    let number = match value.get(..4) {
        Some(scheme) if scheme.eq_ignore_ascii_case("tel:") => value.get(4..).unwrap_or_default(),
        _ => return value.to_owned(),
    };
    let mut parts = number.split(';');
    let number = parts.next().unwrap_or_default().to_owned();
    match parts.find_map(|part| part.strip_prefix("ext=")) {
        Some(extension) => format!("{number} x{extension}"),
        None => number,
    }
}
