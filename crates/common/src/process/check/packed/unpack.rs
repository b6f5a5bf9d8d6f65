//! The numbers of a state's parts, and the bits beside them.

use crate::process::TimerKind;

use super::state::MOST;

#[inline]
pub(super) fn node(packed: u32) -> u32 {
    packed >> TimerKind::COUNT
}

#[inline]
pub(super) fn row(packed: u32) -> u32 {
    packed >> MOST
}

#[inline]
pub(super) fn monitor(packed: u32) -> u32 {
    packed >> 8
}

#[inline]
pub(super) fn violated(packed: u32) -> u32 {
    packed & 255
}

#[inline]
pub(super) fn list(packed: u32) -> u32 {
    packed >> 1
}
