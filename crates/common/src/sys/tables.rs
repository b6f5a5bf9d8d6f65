//! The kernel's tables of sockets and groups, and its settings, where the system shows them.

#[cfg(target_os = "linux")]
#[path = "tables/linux.rs"]
mod system;
#[cfg(not(target_os = "linux"))]
#[path = "tables/none.rs"]
mod system;

pub use self::system::{
    FILTERS_REVERSE_PATH, Groups, dropped, groups, groups_place, has_old_rules, holders, is_fixed,
    of_interface, setting,
};
