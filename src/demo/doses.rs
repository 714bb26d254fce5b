//! Lots and doses of the demo data: each administered request has a dose, which was given at the start of its slot.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Duration, NaiveDate, Utc};
use entity::{ImmunizationSource, ImmunizationStatus, immunizations, lots, patients, vaccines};
use sea_orm::{ActiveModelTrait as _, ColumnTrait as _, ConnectionTrait, EntityTrait, QueryFilter as _, Set};
use uuid::Uuid;

use super::batch;
use super::source::Source;
use super::timetable::DemoSlot;
use crate::domain::vaccination::course_rules::Schedules;
use crate::domain::vaccination::dose_history;
use crate::error::Result;

/// Doses of a lot when it was received.
const RECEIVED: i32 = 1000;

/// A request whose dose was given.
pub(super) struct GivenDose {
    pub request_id: Uuid,
    pub patient_id: Uuid,
    pub vaccine_id: Uuid,
    pub course_id: Uuid,
    pub slot: DemoSlot,
}

/// Inserts a lot of each vaccine, and the doses, and judges them.
pub(super) async fn add(
    db: &impl ConnectionTrait,
    source: &mut Source,
    catalogue: &[vaccines::Model],
    centre_id: Uuid,
    performer_id: Uuid,
    given: &[GivenDose],
) -> Result<()> {
    let lots = add_lots(db, source, catalogue, centre_id, given).await?;
    let rows = given.iter().filter_map(|dose| {
        let lot = lots.get(&dose.vaccine_id)?;
        let (id, _) = source.next_id();
        Some(row(id, dose, lot, performer_id))
    });
    let rows: Vec<_> = rows.collect();
    for rows in rows.chunks(batch()) {
        immunizations::Entity::insert_many(rows.to_vec()).exec_without_returning(db).await?;
    }
    judge(db, given, source.today).await
}

async fn judge(db: &impl ConnectionTrait, given: &[GivenDose], today: NaiveDate) -> Result<()> {
    let ids: BTreeSet<Uuid> = given.iter().map(|dose| dose.patient_id).collect();
    let ids: Vec<Uuid> = ids.into_iter().collect();
    let schedules = Schedules::default();
    for ids in ids.chunks(batch()) {
        let some = patients::Entity::find().filter(patients::Column::Id.is_in(ids.iter().copied()));
        for patient in some.all(db).await? {
            dose_history::judge_anew(db, &schedules, &patient, today, patient.updated_at).await?;
        }
    }
    Ok(())
}

async fn add_lots(
    db: &impl ConnectionTrait,
    source: &mut Source,
    catalogue: &[vaccines::Model],
    centre_id: Uuid,
    given: &[GivenDose],
) -> Result<BTreeMap<Uuid, lots::Model>> {
    let mut all = BTreeMap::new();
    for (vaccine, number) in catalogue.iter().zip(1..) {
        let (id, created_at) = source.next_id();
        let used = given.iter().filter(|dose| dose.vaccine_id == vaccine.id).count();
        let used = i32::try_from(used).unwrap_or(i32::MAX);
        let lot = lots::Model {
            id,
            centre_id,
            vaccine_id: vaccine.id,
            lot_number: format!("DEMO{number:03}"),
            expires_on: source.today + Duration::days(180),
            received: Some(used.saturating_add(RECEIVED)),
            used,
            wasted: 0,
            recalled_at: None,
            created_at,
            updated_at: created_at,
        };
        lots::Entity::insert(lots::ActiveModel::from(lot.clone()).reset_all()).exec_without_returning(db).await?;
        all.insert(vaccine.id, lot);
    }
    Ok(all)
}

fn row(id: Uuid, dose: &GivenDose, lot: &lots::Model, performer_id: Uuid) -> immunizations::ActiveModel {
    let given_at: DateTime<Utc> = dose.slot.starts_at;
    immunizations::ActiveModel {
        id: Set(id),
        patient_id: Set(dose.patient_id),
        course_id: Set(dose.course_id),
        vaccine_id: Set(dose.vaccine_id),
        dose_number: Set(None),
        broken_rule: Set(None),
        source: Set(ImmunizationSource::GivenHere),
        status: Set(ImmunizationStatus::Completed),
        request_id: Set(Some(dose.request_id)),
        centre_id: Set(Some(lot.centre_id)),
        lot_id: Set(Some(lot.id)),
        lot_number: Set(Some(lot.lot_number.clone())),
        expires_on: Set(Some(lot.expires_on)),
        site: Set(Some("LA".to_owned())),
        route: Set(Some("IM".to_owned())),
        // The centre is in London, where the slots are in the morning.
        administered_on: Set(given_at.date_naive()),
        administered_at: Set(Some(given_at)),
        performer_id: Set(Some(performer_id)),
        override_reason: Set(None),
        reported_by: Set(None),
        verified_at: Set(None),
        created_at: Set(given_at),
        updated_at: Set(given_at),
    }
}
