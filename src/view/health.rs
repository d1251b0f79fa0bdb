//! How the view is. A write that succeeds makes it healthy again; damage stays until a restart, and is written down
//! for it, even if it is where opening does not look.

use super::failed::{Health, Standing, ViewFailed};
use arc_swap::ArcSwap;
use std::path::PathBuf;
use std::sync::Arc;

pub(super) struct Condition {
    now: ArcSwap<Health>,
    damage_mark: PathBuf,
}

impl Condition {
    pub fn new(damage_mark: PathBuf) -> Arc<Self> {
        Arc::new(Self { now: ArcSwap::from_pointee(Health::healthy()), damage_mark })
    }

    pub fn now(&self) -> Arc<Health> {
        self.now.load_full()
    }

    pub fn written(&self) {
        let standing = self.now.load().standing;
        if !matches!(standing, Standing::Healthy | Standing::Damaged) {
            tracing::info!("the view is written again");
            self.now.store(Arc::new(Health::healthy()));
        }
    }

    pub fn failed(&self, failed: &ViewFailed) {
        tracing::warn!(%failed, "the view failed");
        if self.now.load().standing == Standing::Damaged {
            return;
        }
        self.now.store(Arc::new(Health::after(failed)));
        if let ViewFailed::Damaged { .. } = failed
            && let Err(error) = std::fs::write(&self.damage_mark, failed.to_string())
        {
            tracing::error!(%error, "the damage of the view could not be marked");
        }
    }
}
