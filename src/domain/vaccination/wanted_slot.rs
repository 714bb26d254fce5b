//! The slot that a request wants: read with its centre and vaccine, with other bookings at its time, and with the entry of
//! the request on the waitlist, by one statement.

use entity::slots::{self, Entity as Slots};
use entity::vaccine_requests::{self, Column, Entity as Requests};
use entity::{centres, courses, vaccines, waitlist_entries};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement};
use sea_orm::{ConnectionTrait, FromQueryResult as _, JoinType};
use uuid::Uuid;

use crate::db::QueryText;
use crate::domain::vaccination::request_rows::{add_columns, is_booked};
use crate::error::Result;

/// A slot that a request wants, with what the rules need to know.
pub(super) struct WantedSlot {
    /// The row.
    pub slot: slots::Model,
    /// IANA time zone of the centre.
    pub time_zone: String,
    /// Vaccine of the slot.
    pub vaccine: vaccines::Model,
    /// Course of the vaccine.
    pub course: courses::Model,
    /// Whether another booking of the patient overlaps with it.
    pub has_overlapping_booking: bool,
    /// The entry of the request that waits or has an offer.
    pub entry: Option<waitlist_entries::Model>,
}

impl WantedSlot {
    /// Reads a slot for a request. `None` if there is no such slot.
    pub async fn read(
        db: &impl ConnectionTrait,
        request: &vaccine_requests::Model,
        slot_id: Uuid,
    ) -> Result<Option<Self>> {
        static QUERY: QueryText = QueryText::new();
        // In the order of the text: the overlapping bookings, the entry, the slot.
        let id = request.id.into();
        let values = [request.patient_id.into(), request.id.into(), id, slot_id.into()];
        let Some(row) = db.query_one_raw(QUERY.statement(db, values, Self::query)).await? else { return Ok(None) };
        Ok(Some(Self {
            slot: slots::Model::from_query_result(&row, "s_")?,
            time_zone: row.try_get("", "time_zone")?,
            vaccine: vaccines::Model::from_query_result(&row, "v_")?,
            course: courses::Model::from_query_result(&row, "c_")?,
            has_overlapping_booking: row.try_get("", "overlaps")?,
            entry: match row.try_get::<Option<Uuid>>("w_", "id")? {
                Some(_) => Some(waitlist_entries::Model::from_query_result(&row, "w_")?),
                None => None,
            },
        }))
    }

    fn query() -> SelectStatement {
        let of_slot = |column| Expr::col((Slots, column));
        let mut query = Query::select();
        add_columns::<Slots>(&mut query, "s_");
        add_columns::<vaccines::Entity>(&mut query, "v_");
        add_columns::<courses::Entity>(&mut query, "c_");
        add_columns::<waitlist_entries::Entity>(&mut query, "w_");
        query
            .expr_as(Expr::col((centres::Entity, centres::Column::TimeZone)), "time_zone")
            .expr_as(Expr::exists(Self::overlapping()), "overlaps")
            .from(Slots)
            .inner_join(
                centres::Entity,
                Expr::col((centres::Entity, centres::Column::Id)).eq(of_slot(slots::Column::CentreId)),
            )
            .inner_join(
                vaccines::Entity,
                Expr::col((vaccines::Entity, vaccines::Column::Id)).eq(of_slot(slots::Column::VaccineId)),
            )
            .inner_join(
                courses::Entity,
                Expr::col((courses::Entity, courses::Column::Id))
                    .eq(Expr::col((vaccines::Entity, vaccines::Column::CourseId))),
            )
            .left_join(
                waitlist_entries::Entity,
                Expr::col((waitlist_entries::Entity, waitlist_entries::Column::RequestId))
                    .eq(Uuid::nil())
                    // Not a parameter: otherwise SQLite does not use the partial index.
                    .and(Expr::cust("waitlist_entries.status IN ('waiting', 'offered')")),
            )
            .and_where(of_slot(slots::Column::Id).eq(Uuid::nil()));
        query
    }

    /// The other bookings of the patient at the time of the slot.
    fn overlapping() -> SelectStatement {
        const OTHER: &str = "other";
        let of_other = |column| Expr::col((OTHER, column));
        let of_slot = |column| Expr::col((Slots, column));
        Query::select()
            .expr(Expr::cust("1"))
            .from(Requests)
            .join_as(
                JoinType::InnerJoin,
                Slots,
                OTHER,
                of_other(slots::Column::Id).eq(Expr::col((Requests, Column::SlotId))),
            )
            .and_where(Expr::col((Requests, Column::PatientId)).eq(Uuid::nil()))
            .and_where(is_booked("vaccine_requests"))
            .and_where(Expr::col((Requests, Column::Id)).ne(Uuid::nil()))
            .and_where(of_other(slots::Column::StartsAt).lt(of_slot(slots::Column::EndsAt)))
            .and_where(of_other(slots::Column::EndsAt).gt(of_slot(slots::Column::StartsAt)))
            .to_owned()
    }
}
