//! The templates for Gradescope, run where its folders are as they are there, and what they write.

mod support;

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};

use common::testing::Folder;
use serde_json::Value;
use support::{SUBMISSIONS, can_grade, copy};

const TEMPLATES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lab/gradescope");

/// What a container of Gradescope has: its folders, and programs of this machine.
struct Container(Folder);

impl Container {
    /// One in whose source folder are the templates, a suite and the program.
    fn new() -> Self {
        let folder = Folder::new();
        for name in ["source", "submission", "results", "bin", "tmp"] {
            fs::create_dir(folder.path(name)).unwrap();
        }
        copy(Path::new(TEMPLATES), Path::new(&folder.path("source")));
        let suite = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/lab/suite.json");
        fs::copy(suite, folder.path("source/suite.json")).unwrap();
        fs::copy(env!("CARGO_BIN_EXE_grade"), folder.path("source/grade")).unwrap();
        // Packages are not installed: what is asked for is kept.
        let apt = folder.write("bin/apt-get", "#!/bin/sh\necho \"$@\" >>/tmp/apt\n");
        fs::set_permissions(apt, fs::Permissions::from_mode(0o755)).unwrap();
        Self(folder)
    }

    /// Runs a template in it, by its path there.
    fn run(&self, template: &str) -> std::process::Output {
        let mut command = Command::new("bwrap");
        command.args(["--tmpfs", "/", "--cap-add", "ALL"]);
        for entry in fs::read_dir("/").unwrap() {
            let path = entry.unwrap().path();
            let name = path.to_str().unwrap();
            match fs::read_link(&path) {
                Ok(link) => command.args(["--symlink", link.to_str().unwrap(), name]),
                Err(_) if name == "/tmp" => &mut command,
                Err(_) => command.args(["--dev-bind", name, name]),
            };
        }
        for (from, to) in [
            ("source", "/autograder/source"),
            ("submission", "/autograder/submission"),
            ("results", "/autograder/results"),
            ("bin", "/usr/local/bin"),
            ("tmp", "/tmp"),
        ] {
            command.args(["--bind", &self.0.path(from), to]);
        }
        let path = std::env::var("PATH").unwrap_or_default();
        command.args(["--die-with-parent", "--", "bash", template]);
        command.env("PATH", format!("/usr/local/bin:{path}"));
        command.output().unwrap()
    }
}

/// A key, and whether a value is of its type.
type Field = (&'static str, fn(&Value) -> bool);

/// Whether a value has these keys alone, each of its type, and those that have to be there.
fn check(value: &Value, known: &[Field], required: &[&str]) {
    let object = value.as_object().unwrap();
    for (key, value) in object {
        let of_type = known.iter().find(|(name, _)| name == key);
        assert!(
            of_type.is_some_and(|(_, is_it)| is_it(value)),
            "{key}: {value}"
        );
    }
    for key in required {
        assert!(object.contains_key(*key), "{key} is missing: {value}");
    }
}

fn is_format(value: &Value) -> bool {
    let formats = ["text", "html", "simple_format", "md", "ansi"];
    formats.iter().any(|format| value == format)
}

fn is_visibility(value: &Value) -> bool {
    let all = ["hidden", "after_due_date", "after_published", "visible"];
    all.iter().any(|visibility| value == visibility)
}

fn is_tags(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|tags| tags.iter().all(Value::is_string))
}

/// The fields of results.json as Gradescope documents them (gradescope-autograders.readthedocs.io, specifications).
fn check_results(results: &Value) {
    let known: [Field; 10] = [
        ("score", Value::is_number),
        ("execution_time", Value::is_number),
        ("output", Value::is_string),
        ("output_format", is_format),
        ("test_output_format", is_format),
        ("test_name_format", is_format),
        ("visibility", is_visibility),
        ("stdout_visibility", is_visibility),
        ("extra_data", Value::is_object),
        ("tests", Value::is_array),
    ];
    check(results, &known, &["tests", "score"]);
    for test in results["tests"].as_array().unwrap() {
        let known: [Field; 11] = [
            ("score", Value::is_number),
            ("max_score", Value::is_number),
            ("status", |value| value == "passed" || value == "failed"),
            ("name", Value::is_string),
            ("name_format", is_format),
            ("number", Value::is_string),
            ("output", Value::is_string),
            ("output_format", is_format),
            ("tags", is_tags),
            ("visibility", is_visibility),
            ("extra_data", Value::is_object),
        ];
        check(test, &known, &["score", "max_score", "status", "name"]);
        assert!(
            test["score"].as_f64() <= test["max_score"].as_f64(),
            "{test}"
        );
    }
}

#[test]
fn the_templates_grade_a_submission_where_gradescope_has_it() {
    if !can_grade() {
        return;
    }
    let container = Container::new();
    let setup = container.run("/autograder/source/setup.sh");
    assert!(
        setup.status.success(),
        "{}",
        String::from_utf8_lossy(&setup.stderr)
    );
    let asked = fs::read_to_string(container.0.path("tmp/apt")).unwrap();
    assert!(
        asked.contains("install") && asked.contains("bubblewrap"),
        "{asked}"
    );
    assert!(Path::new(&container.0.path("bin/grade")).exists());
    let server = Path::new(SUBMISSIONS).join("server/dies-of-empty/server.py");
    fs::copy(server, container.0.path("submission/server.py")).unwrap();
    let run = container.run("/autograder/source/run_autograder");
    let text = format!(
        "{}{}",
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr)
    );
    assert!(run.status.success(), "{text}");
    let path = PathBuf::from(container.0.path("results/results.json"));
    let results: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    check_results(&results);
    let tests = results["tests"].as_array().unwrap();
    let find = |id: &str| {
        let is_it = |test: &&Value| test["name"].as_str().unwrap().starts_with(id);
        tests.iter().find(is_it).unwrap()
    };
    assert_eq!(
        find("threads-server/idle:")["status"],
        "passed",
        "{text}{results:#}"
    );
    let empty = find("threads-server/empty:");
    assert_eq!(
        (&empty["status"], &empty["tags"][0]),
        (&"failed".into(), &"crash".into())
    );
    let score: u64 = tests
        .iter()
        .map(|test| test["score"].as_u64().unwrap())
        .sum();
    assert_eq!(results["score"], score);
}
