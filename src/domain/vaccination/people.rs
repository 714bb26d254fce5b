//! Finding people: by words of their name, and by e-mail address, telephone number and national id of their account.

use entity::users;
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ColumnTrait, Condition, ConnectionTrait};

use crate::domain::accounts::own_patient::words;
use crate::domain::accounts::user_words;
use crate::domain::values::actor::Actor;
use crate::domain::values::email::Email;
use crate::domain::values::person::{NationalId, PhoneNumber};
use crate::domain::values::search::SearchText;
use crate::error::Result;

/// What people are found by. Each condition narrows it.
#[derive(Clone, Debug, Default)]
pub struct PeopleFilter {
    /// For each of these words, a word of the name of the patient begins with it.
    pub search: Option<SearchText>,
    /// E-mail address of the account.
    pub email: Option<Email>,
    /// Telephone number of the account; only its digits matter.
    pub phone_number: Option<PhoneNumber>,
    /// National id of the account.
    pub nid: Option<NationalId>,
}

/// The people that a filter finds.
pub(super) struct FoundPeople {
    /// The condition on the id of the patient and on that of the account.
    pub condition: Condition,
    /// Whether an index finds them, and they are few.
    pub is_selective: bool,
}

impl PeopleFilter {
    /// Whether there is no condition.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.search.is_none() && self.email.is_none() && self.phone_number.is_none() && self.nid.is_none()
    }

    /// The condition on the id of a patient and on that of their account; `None` if there are no such patients.
    pub(super) async fn condition(
        &self,
        db: &impl ConnectionTrait,
        actor: &Actor,
        patient_id: Expr,
        user_id: Expr,
    ) -> Result<Option<FoundPeople>> {
        let mut found = FoundPeople { condition: Condition::all(), is_selective: false };
        match &self.search {
            Some(text) if actor.is_staff() => {
                let Some(matching) = words().matching(db, text, patient_id).await? else { return Ok(None) };
                found = FoundPeople { condition: matching.condition, is_selective: matching.lists_ids };
            }
            // Among their own.
            Some(text) => found.condition = words().each(text, &patient_id),
            None => {}
        }
        for accounts in self.accounts().into_iter().flatten() {
            let condition = found.condition.add(user_id.clone().in_subquery(accounts));
            found = FoundPeople { condition, is_selective: true };
        }
        Ok(Some(found))
    }

    fn accounts(&self) -> [Option<SelectStatement>; 3] {
        let accounts =
            |condition| Query::select().column(users::Column::Id).from(users::Entity).and_where(condition).to_owned();
        [
            self.email.as_ref().map(|email| accounts(users::Column::Email.eq(email.as_str()))),
            self.nid.as_ref().map(|nid| accounts(users::Column::NidKey.eq(nid.key()))),
            self.phone_number.as_ref().map(|number| user_words::with_phone_number(number.as_str())),
        ]
    }
}
