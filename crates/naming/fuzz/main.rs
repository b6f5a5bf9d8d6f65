//! The entry point of libFuzzer: `NAMING_FUZZ` selects the target.
#![no_main]

mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match std::env::var("NAMING_FUZZ").as_deref() {
        Ok("reply") => targets::reply(data),
        Ok("zone") => targets::zone(data),
        Ok("names") => targets::names(data),
        Ok("keys") => targets::keys(data),
        _ => targets::packet(data),
    }
});
