//! Cases that are tried at once, as they wait more than they compute.

use std::thread;

/// Tries all cases, so many at once: those that start need the processor. `wrong` says what is wrong with one.
///
/// # Panics
/// When something is wrong with a case, with all that is.
pub fn check_several<T: Sync>(
    cases: &[T],
    at_once: usize,
    wrong: impl Fn(&T) -> Option<String> + Sync,
) {
    let wrong = &wrong;
    let mut all_wrong = Vec::new();
    for cases in cases.chunks(at_once) {
        all_wrong.extend(thread::scope(|scope| {
            let tries = cases.iter().map(|case| scope.spawn(move || wrong(case)));
            let tries: Vec<_> = tries.collect();
            let wrong = tries
                .into_iter()
                .filter_map(|it| it.join().expect("a case"));
            wrong.collect::<Vec<_>>()
        }));
    }
    assert!(all_wrong.is_empty(), "{}", all_wrong.join("\n"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_case_is_tried() {
        check_several(&[1, 2, 3], 2, |_| None);
    }

    #[test]
    #[should_panic(expected = "2 is even\n4 is even")]
    fn what_is_wrong_with_any_is_said() {
        let wrong = |case: &i32| (case % 2 == 0).then(|| format!("{case} is even"));
        check_several(&[1, 2, 3, 4, 5], 2, wrong);
    }
}
