//! Timetable of the demo data: a centre with the slots of the bookings and free ones, and a centre without slots.

use std::collections::BTreeMap;

use chrono::{DateTime, Duration, NaiveTime, Utc};
use entity::{RequestStatus, centre_staff, centres, slots, vaccines};
use sea_orm::{ConnectionTrait, EntityTrait, Set};
use uuid::Uuid;

use super::source::Source;
use crate::error::Result;

/// A slot and its start.
#[derive(Clone, Copy)]
pub(super) struct DemoSlot {
    pub id: Uuid,
    pub starts_at: DateTime<Utc>,
}

/// A centre, and the slots of its bookings.
pub(super) struct Timetable {
    pub centre_id: Uuid,
    /// A centre that has no slots yet, for which people wait.
    pub new_centre_id: Uuid,
    /// The latest slot and the number of its bookings, by vaccine and status.
    latest: BTreeMap<(Uuid, &'static str), (DemoSlot, i32)>,
    /// Number of slots with bookings, by status. No two are at the same time, so that no bookings of a person overlap.
    slots: BTreeMap<&'static str, i64>,
}

impl Timetable {
    /// Places of a slot.
    const CAPACITY: i32 = 20;

    pub async fn add(db: &impl ConnectionTrait, source: &mut Source, staff_id: Uuid) -> Result<Self> {
        let centre_id = add_centre(db, source, ("Town hall", "1 Market Square"), (51.5074, -0.1357)).await?;
        let new_centre_id = add_centre(db, source, ("Library", "5 School Lane"), (51.5413, -0.1039)).await?;
        for centre_id in [centre_id, new_centre_id] {
            let assignment = centre_staff::ActiveModel {
                user_id: Set(staff_id),
                centre_id: Set(centre_id),
                created_at: Set(source.begin),
            };
            centre_staff::Entity::insert(assignment).exec_without_returning(db).await?;
        }
        Ok(Self { centre_id, new_centre_id, latest: BTreeMap::new(), slots: BTreeMap::new() })
    }

    /// A slot for a booking that is to come, that was missed, or whose dose was given.
    pub async fn slot(
        &mut self,
        db: &impl ConnectionTrait,
        source: &mut Source,
        vaccine_id: Uuid,
        status: RequestStatus,
    ) -> Result<DemoSlot> {
        let key = (vaccine_id, status.as_str());
        if let Some((slot, booked)) = self.latest.get_mut(&key).filter(|(_, booked)| *booked < Self::CAPACITY) {
            *booked += 1;
            return Ok(*slot);
        }
        let number = self.slots.entry(status.as_str()).or_default();
        let minutes = Duration::minutes(15 * *number);
        *number += 1;
        let morning = source.today.and_time(NaiveTime::MIN).and_utc() + Duration::hours(9);
        let start = match status {
            RequestStatus::Booked => morning + Duration::days(3) + minutes,
            RequestStatus::Administered => morning - Duration::days(5) - minutes,
            _ => morning - Duration::days(3) - minutes,
        };
        let slot = DemoSlot { id: self.add_slot(db, source, (vaccine_id, start), false).await?, starts_at: start };
        self.latest.insert(key, (slot, 1));
        Ok(slot)
    }

    /// Inserts free slots of each vaccine on some days.
    pub async fn add_free_slots(
        &self,
        db: &impl ConnectionTrait,
        source: &mut Source,
        catalogue: &[vaccines::Model],
    ) -> Result<()> {
        for vaccine in catalogue.iter().filter(|vaccine| vaccine.active) {
            for (day, hour) in [(1, 10), (1, 14), (2, 10), (8, 16)] {
                let midnight = source.today.and_time(NaiveTime::MIN).and_utc();
                let start = midnight + Duration::days(day) + Duration::hours(hour);
                self.add_slot(db, source, (vaccine.id, start), false).await?;
            }
            // One that needs an invitation.
            let start = source.today.and_time(NaiveTime::MIN).and_utc() + Duration::days(4) + Duration::hours(12);
            self.add_slot(db, source, (vaccine.id, start), true).await?;
        }
        Ok(())
    }

    async fn add_slot(
        &self,
        db: &impl ConnectionTrait,
        source: &mut Source,
        (vaccine_id, starts_at): (Uuid, DateTime<Utc>),
        invited_only: bool,
    ) -> Result<Uuid> {
        let (id, created_at) = source.next_id();
        let slot = slots::ActiveModel {
            id: Set(id),
            centre_id: Set(self.centre_id),
            vaccine_id: Set(vaccine_id),
            starts_at: Set(starts_at),
            ends_at: Set(starts_at + Duration::minutes(15)),
            capacity: Set(Self::CAPACITY),
            booked: Set(0),
            held: Set(0),
            invited_only: Set(invited_only),
            closed_at: Set(None),
            closed_reason: Set(None),
            created_at: Set(created_at),
        };
        slots::Entity::insert(slot).exec_without_returning(db).await?;
        Ok(id)
    }
}

async fn add_centre(
    db: &impl ConnectionTrait,
    source: &mut Source,
    (name, address): (&str, &str),
    (latitude, longitude): (f64, f64),
) -> Result<Uuid> {
    let (centre_id, created_at) = source.next_id();
    let centre = centres::ActiveModel {
        id: Set(centre_id),
        name: Set(name.to_owned()),
        address: Set(address.to_owned()),
        city: Set(Some("London".to_owned())),
        postal_code: Set(Some("SW1Y 4JH".to_owned())),
        time_zone: Set("Europe/London".to_owned()),
        latitude: Set(Some(latitude)),
        longitude: Set(Some(longitude)),
        phone_number: Set(Some(source.phone_number())),
        active: Set(true),
        created_at: Set(created_at),
        updated_at: Set(created_at),
    };
    centres::Entity::insert(centre).exec_without_returning(db).await?;
    Ok(centre_id)
}
