//! Names of contacts: a first name, a last name or an organization, of which at least one is there.

use entity::contacts::Model;

use crate::domain::contacts::contact_search::name_folded;
use crate::domain::values::person::NamePart;
use crate::domain::values::text::Line;
use crate::error::Violation;

/// The name of an organization.
pub type OrganizationName = Line<200>;

/// The names of a contact. Not everybody has two, and an organization has none of a person (RFC 6350 requires only FN).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    first: Option<NamePart>,
    last: Option<NamePart>,
    organization: Option<OrganizationName>,
}

/// Names as they are stored: as they were written, and folded for sorting and searching.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StoredNames {
    pub first_name: Option<String>,
    pub last_name: Option<String>,
    pub organization: Option<String>,
    /// What the contact is sorted by: the last name, or else the first name, or else the organization.
    pub sort_folded: String,
    pub first_folded: String,
}

impl Names {
    /// Checks that there is a name.
    ///
    /// # Errors
    /// A violation `required`.
    pub fn new(
        first: Option<NamePart>,
        last: Option<NamePart>,
        organization: Option<OrganizationName>,
    ) -> Result<Self, Violation> {
        if first.is_none() && last.is_none() && organization.is_none() {
            return Err(required());
        }
        Ok(Self { first, last, organization })
    }

    /// The names, to be stored.
    pub(super) fn stored(self) -> StoredNames {
        let first_name = self.first.map(NamePart::into_string);
        let last_name = self.last.map(NamePart::into_string);
        StoredNames::new(first_name, last_name, self.organization.map(OrganizationName::into_string))
    }
}

impl StoredNames {
    pub fn new(first_name: Option<String>, last_name: Option<String>, organization: Option<String>) -> Self {
        let sorted = last_name.as_ref().or(first_name.as_ref()).or(organization.as_ref());
        Self {
            sort_folded: sorted.map(|name| name_folded(name)).unwrap_or_default(),
            first_folded: first_name.as_deref().map(name_folded).unwrap_or_default(),
            first_name,
            last_name,
            organization,
        }
    }
}

/// Checks that there is a name.
pub(super) fn check(first: Option<&str>, last: Option<&str>, organization: Option<&str>) -> Result<(), Violation> {
    if first.or(last).or(organization).is_some() { Ok(()) } else { Err(required()) }
}

/// Violation for a contact without a name.
fn required() -> Violation {
    Violation::new("first_name", "required", "is required, or last_name or organization")
}

/// The name by which a contact is shown: first and last name, or else the organization.
#[must_use]
pub fn display_name(contact: &Model) -> String {
    display(contact.first_name.as_deref(), contact.last_name.as_deref(), contact.organization.as_deref())
}

fn display(first: Option<&str>, last: Option<&str>, organization: Option<&str>) -> String {
    match (first, last) {
        (Some(first), Some(last)) => format!("{first} {last}"),
        (Some(name), None) | (None, Some(name)) => name.to_owned(),
        (None, None) => organization.unwrap_or_default().to_owned(),
    }
}
