//! The forms of the results.

mod support;

use std::{fs, path::Path};

use serde_json::Value;
use support::{SUBMISSIONS, can_grade, grade};

fn document(format: &str) -> Option<String> {
    if !can_grade() {
        return None;
    }
    let folder = Path::new(SUBMISSIONS).join("clock/without-max");
    let words = [
        "clock",
        "--cmd",
        "python3 clock.py",
        "--format",
        format,
        "--hidden",
        "ends",
    ];
    let finished = grade(&folder, &words);
    assert_eq!((finished.code, finished.err.as_str()), (Some(1), ""));
    Some(finished.out)
}

fn parsed(format: &str) -> Option<Value> {
    document(format)
        .map(|text| serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")))
}

#[test]
fn the_results_are_as_their_schema_says() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../docs/reference/results-v1.schema.json"
    );
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let Some(mut results) = parsed("json") else {
        return;
    };
    assert_eq!(wrong(&schema, &schema, &results, "results"), None);
    let first = &mut results["submissions"][0]["parts"][0]["requirements"][0];
    first["status"] = "passed".into();
    let path = "results.submissions[0].parts[0].requirements[0].status";
    assert_eq!(
        wrong(&schema, &schema, &results, "results").as_deref(),
        Some(path)
    );
}

#[test]
fn gradescope_reads_scores_and_who_sees_what() {
    let Some(results) = parsed("gradescope") else {
        return;
    };
    let tests = results["tests"].as_array().unwrap();
    let sum: u64 = tests
        .iter()
        .map(|test| test["score"].as_u64().unwrap())
        .sum();
    assert_eq!(results["score"].as_u64(), Some(sum));
    let find = |id: &str| {
        let mut tests = tests.iter();
        let is_it = |test: &&Value| {
            test["name"]
                .as_str()
                .unwrap()
                .starts_with(&format!("clock/{id}:"))
        };
        tests.find(is_it).unwrap()
    };
    assert_eq!(
        (&find("send")["status"], &find("below")["status"]),
        (&"passed".into(), &"failed".into())
    );
    assert_eq!(
        (&find("ends")["visibility"], &find("send")["visibility"]),
        (&"hidden".into(), &"visible".into())
    );
    assert!(
        find("below")["output"]
            .as_str()
            .unwrap()
            .contains("max(3, 2) + 1")
    );
}

#[test]
fn github_classroom_reads_a_status_and_a_score_each() {
    let Some(results) = parsed("github") else {
        return;
    };
    assert_eq!(
        (&results["version"], &results["status"]),
        (&1.into(), &"fail".into())
    );
    let tests = results["tests"].as_array().unwrap();
    let is_whole = |test: &Value| {
        [
            "name",
            "status",
            "score",
            "message",
            "test_code",
            "filename",
            "line_no",
            "execution_time",
        ]
        .iter()
        .all(|key| test.get(key).is_some())
    };
    assert!(tests.iter().all(is_whole), "{results:#}");
}

#[test]
fn junit_counts_failures() {
    let Some(xml) = document("junit") else {
        return;
    };
    assert!(xml.starts_with("<?xml version=\"1.0\""), "{xml}");
    let failures = xml.matches("<failure type=\"wrong-answer\"").count();
    assert!(
        failures >= 2 && xml.contains(&format!("failures=\"{failures}\" errors=\"0\"")),
        "{xml}"
    );
}

/// The path of what is not as the schema says, by as much of JSON Schema as ours uses.
fn wrong(root: &Value, schema: &Value, value: &Value, path: &str) -> Option<String> {
    if let Some(reference) = schema.get("$ref") {
        let pointer = reference.as_str().unwrap().trim_start_matches('#');
        return wrong(root, root.pointer(pointer).unwrap(), value, path);
    }
    let is_type = |name: &Value| match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_u64() || value.is_i64(),
        other => panic!("type {other}"),
    };
    let holds = schema.get("type").is_none_or(is_type)
        && schema.get("const").is_none_or(|only| only == value)
        && schema
            .get("enum")
            .is_none_or(|all| all.as_array().unwrap().contains(value))
        && schema
            .get("minimum")
            .is_none_or(|least| value.as_i64() >= least.as_i64());
    if !holds {
        return Some(path.to_owned());
    }
    if let (Some(object), Some(known)) = (value.as_object(), schema.get("properties")) {
        let required = schema["required"].as_array().unwrap();
        if let Some(missing) = required
            .iter()
            .find(|key| !object.contains_key(key.as_str().unwrap()))
        {
            return Some(format!("{path}.{missing}"));
        }
        return object.iter().find_map(|(key, value)| match known.get(key) {
            Some(schema) => wrong(root, schema, value, &format!("{path}.{key}")),
            None => Some(format!("{path}.{key}")),
        });
    }
    let items = schema.get("items")?;
    let mut values = value.as_array()?.iter().enumerate();
    values.find_map(|(at, value)| wrong(root, items, value, &format!("{path}[{at}]")))
}
