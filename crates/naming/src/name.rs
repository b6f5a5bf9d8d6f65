//! Valid names: a name, a path of names, and the place of a name in its name space.
//!
//! A name fits in one label of a domain name (RFC 1035 section 2.3.4: 63 bytes) and is compared without regard to the
//! case of ASCII letters (RFC 4343), so it is kept in lowercase.

//!
//! | module | job |
//! | --- | --- |
//! | [`label`] | a name |
//! | `idn` | a name beyond ASCII |
//! | [`path`], [`place`] | a path of names; the place of a name |

pub(crate) mod idn;
pub mod label;
pub mod path;
pub mod place;

pub use self::{
    idn::LONGEST_NAME,
    label::{APEX, BadName, Name},
    path::{Path, Step},
    place::{FLAT, LONGEST_PLACE, Place, Shown, merged},
};
