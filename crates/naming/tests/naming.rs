//! The real program, run as a student or a script runs it.

use common::{
    event::{Kind, Record},
    testing::{self, Finished, Folder, Running, read_log, run},
};
use naming::config::Cli;

const NAMING: &str = env!("CARGO_BIN_EXE_naming");

fn answered(arguments: &[&str], out: &str) {
    let finished = run(NAMING, arguments);
    assert_eq!(
        finished,
        Finished {
            code: Some(0),
            out: out.to_owned(),
            err: String::new()
        },
        "{arguments:?}"
    );
}

fn refused(arguments: &[&str], code: i32, why: &str) {
    let finished = run(NAMING, arguments);
    let err = format!("naming: {why}\n");
    assert_eq!(
        finished,
        Finished {
            code: Some(code),
            out: String::new(),
            err
        },
        "{arguments:?}"
    );
}

#[test]
fn the_command_line_is_sound_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        NAMING,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(NAMING);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() >= 300);
    let refused: &[(&[&str], &str)] = &[
        (
            &["flat", "server1", "--store", "X"],
            "--store: flat does not take it; serve does",
        ),
        (
            &["flat", "server1", "--at", "/"],
            "--at: flat does not take it; structured, explain, register, unregister",
        ),
        (
            &["flat", "server1", "--replace"],
            "--replace: flat does not take it; register and delegate do",
        ),
        (
            &["--replace"],
            "--replace: goes after a subcommand that takes it: register or delegate",
        ),
        (
            &["list", "--server", "x"],
            "--server: list does not take it; register, unregister, rename, link, delegate and resolve do",
        ),
        (
            &["resolve", "x", "--names", "x"],
            "--names: resolve does not take it; naming without a subcommand, flat, ",
        ),
        (
            &["unregister", "x", "--names", "x", "--key", "k"],
            "--key: goes with --server",
        ),
    ];
    testing::check_refusals(NAMING, refused);
}

#[test]
fn the_handouts_two_queries() {
    answered(
        &[],
        "IP address of server1: 192.168.1.2\nIP address of region1 server1: 192.168.1.2\n",
    );
}

#[test]
fn flat_and_structured_names() {
    answered(&["flat", "server2"], "IP address of server2: 192.168.1.3\n");
    answered(
        &["flat", "server2", "server1", "--short"],
        "192.168.1.3\n192.168.1.2\n",
    );
    let server4 = "IP address of region2 server4: 192.168.2.2\n";
    answered(&["structured", "region2/server4"], server4);
    answered(&["structured", "region2", "server4"], server4);
    answered(
        &[
            "structured",
            "region1/server1",
            "region2/server3",
            "--short",
        ],
        "192.168.1.2\n192.168.2.1\n",
    );
}

#[test]
fn the_list_has_every_name() {
    let list = "server1 192.168.1.2\nserver2 192.168.1.3\n\
        region1/server1 192.168.1.2\nregion1/server2 192.168.1.3\n\
        region2/server3 192.168.2.1\nregion2/server4 192.168.2.2\n";
    answered(&["list"], list);
}

#[test]
fn json_is_the_answer_as_events_and_the_log_has_them_too() {
    let folder = Folder::new();
    let log = folder.path("log");
    let finished = run(
        NAMING,
        &[
            "--json",
            "structured",
            "region1/server1",
            "--log",
            &log,
            "--name",
            "asker",
        ],
    );
    let record = Record::parse(finished.out.trim_end()).unwrap();
    assert_eq!(
        (record.event.name.as_deref(), record.event.value.as_deref()),
        (Some("region1/server1"), Some("192.168.1.2"))
    );
    let records = read_log(log);
    assert_eq!(records[1], record);
    assert!(records.iter().all(|record| record.node == "asker"));
    assert_eq!(records.last().unwrap().event.kind, Kind::Stop);
}

#[test]
fn a_name_that_does_not_exist_is_one_line_with_a_hint() {
    refused(
        &["flat", "server9"],
        1,
        "server9: no such name; did you mean server1?",
    );
    let why =
        "region1/server9: region1 has no server9; it has server1, server2; did you mean server1?";
    refused(&["structured", "region1/server9"], 1, why);
    refused(
        &["structured", "server1"],
        1,
        "server1: server1 is a flat name; did you mean naming flat server1?",
    );
    refused(&["flat", "a\x1bb"], 1, "a\\x1bb: no such name");
    refused(
        &["structured", "region1//server1"],
        2,
        "path 'region1//server1': a component is empty",
    );
    // The other names are still resolved.
    let finished = run(NAMING, &["flat", "server9", "server1"]);
    assert_eq!(
        (finished.code, finished.out.as_str()),
        (Some(1), "IP address of server1: 192.168.1.2\n")
    );
}

#[test]
fn names_from_a_file() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        "\u{feff}{\"printer\": \"2001:db8::9\", \"eu\": {\"de\": {\"www\": \"10.0.0.1\"}}}",
    );
    answered(
        &["list", "--names", &names],
        "printer 2001:db8::9\neu/de/www 10.0.0.1\n",
    );
    answered(
        &["structured", "eu", "de", "www", "--names", &names],
        "IP address of eu de www: 10.0.0.1\n",
    );
    let bad = folder.write(
        "bad.json",
        "{\"eu\": {\n  \"de\": {\"www\": \"10.0.0.256\"}\n}}",
    );
    refused(
        &["--names", &bad],
        2,
        &format!(
            "{bad}:2:28: eu.de.www: '10.0.0.256' is not an IP address; a text begins with text:"
        ),
    );
    let broken = folder.write("broken.json", "{\"eu\": ");
    refused(
        &["--names", &broken],
        2,
        &format!("{broken}:1:7: EOF while parsing a value"),
    );
    refused(
        &["--names", "/nonexistent"],
        2,
        "/nonexistent: no such file",
    );
    refused(&["--names", "/"], 2, "/: is a directory");
}

#[test]
fn a_full_output_is_an_error_and_a_closed_one_is_not() {
    let mut full = testing::command("sh", &["-c", "exec \"$0\" list >/dev/full", NAMING]);
    full.env_remove("LAB_CONFIG");
    let finished = Running::start(full).finish();
    assert_eq!(finished.code, Some(2));
    assert_eq!(
        finished.err,
        "naming: standard output: no space left on device\n"
    );

    let finished = Running::start_with_closed_out(testing::command(NAMING, &["list"])).finish();
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""));
}

#[test]
fn an_invalid_command_is_one_line() {
    let why =
        "usage: unrecognized subcommand 'flta'; a similar subcommand exists: 'flat'; see --help";
    refused(&["flta", "server1"], 2, why);
    let why = "usage: the following required arguments were not provided: <NAME>...; see --help";
    refused(&["flat"], 2, why);
}

#[test]
fn colour_is_for_terminals_and_no_color_is_honoured() {
    if !testing::have_program("script") {
        return;
    }
    // A program that `script` runs has a terminal as its standard error.
    let printed = |no_colour: Option<&str>| {
        let asked = format!("{NAMING} flat nobody");
        let mut command = testing::command("script", &["-qec", &asked, "/dev/null"]);
        command.envs(no_colour.map(|value| ("NO_COLOR", value)));
        let finished = Running::start(command).finish();
        assert_eq!(finished.code, Some(1), "{finished:?}");
        finished.out.trim_end().to_owned()
    };
    assert_eq!(
        printed(None),
        "\x1b[1;31mnaming: nobody: no such name\x1b[0m"
    );
    assert_eq!(printed(Some("1")), "naming: nobody: no such name");
    assert_eq!(
        run(NAMING, &["flat", "nobody"]).err,
        "naming: nobody: no such name\n"
    );
}

#[test]
fn relative_paths_start_at_a_directory() {
    answered(
        &["structured", "server2", "--at", "region1"],
        "IP address of server2: 192.168.1.3\n",
    );
    answered(
        &[
            "structured",
            "--at",
            "region1",
            "../region2/server3",
            "/region1/server1",
            "--short",
        ],
        "192.168.2.1\n192.168.1.2\n",
    );
    refused(
        &["structured", "server2", "--at", "region9"],
        2,
        "--at region9: the root has no region9; it has region1, region2; did you mean region1?",
    );
}

#[test]
fn every_step_is_explained() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{"region1": {"server1": "10.0.0.1", "web": "link:region1/server1"}, "/east": "symlink:/region1"}"#,
    );
    let steps = "\
east/web
  1. a relative path; resolution starts at the root
  2. / has east: a symbolic link to /region1
  3. / has region1: a directory
  4. region1 has web: a leaf, one node with the names region1/server1 and region1/web
  so east/web is 10.0.0.1
";
    answered(&["explain", "east/web", "--names", &names], steps);
    let finished = run(NAMING, &["explain", "region1/x", "--names", &names]);
    assert_eq!(finished.code, Some(1));
    assert_eq!(
        finished.err,
        "naming: region1/x: region1 has no x; it has server1, web\n"
    );
}

#[test]
fn both_name_spaces_are_drawn() {
    let folder = Folder::new();
    let names = folder.write(
        "names.json",
        r#"{"printer": ["10.0.0.9", "text:in the hall"], "region1": {"server1": "10.0.0.1", "web": "link:region1/server1"},
            "/east": "symlink:/region1"}"#,
    );
    let eu = folder.write("eu.json", r#"{"de": {"www": "10.1.0.1"}}"#);
    let tree = format!(
        "\
flat names
└── printer  10.0.0.9, text:in the hall
/
├── east  -> /region1
├── eu  (mounted from {eu})
│   └── de
│       └── www  10.1.0.1
└── region1
    ├── server1  10.0.0.1  (also region1/web)
    └── web  10.0.0.1  (also region1/server1)
"
    );
    answered(
        &["tree", "--names", &names, "--mount", &format!("eu={eu}")],
        &tree,
    );
    answered(
        &[
            "structured",
            "eu/de/www",
            "--mount",
            &format!("eu={eu}"),
            "--short",
        ],
        "10.1.0.1\n",
    );
    refused(
        &["tree", "--mount", &format!("region1={eu}")],
        2,
        &format!("--mount region1={eu}: a directory; it has server1, server2"),
    );
}

#[test]
fn a_names_file_is_changed_whole_or_not_at_all() {
    let folder = Folder::new();
    let names = folder.path("new.json");
    let change =
        |arguments: &[&str], out: &str| answered(&[arguments, &["--names", &names]].concat(), out);
    change(
        &["register", "printer", "10.0.0.9", "text:in the hall"],
        "printer is 10.0.0.9, text:in the hall\n",
    );
    change(
        &["register", "region1/server1", "10.0.0.1"],
        "region1/server1 is 10.0.0.1\n",
    );
    change(
        &["register", "region1/server1", "::1", "--add"],
        "region1/server1 is ::1 as well\n",
    );
    change(
        &["link", "/www", "region1/server1"],
        "/www is the same as region1/server1\n",
    );
    change(
        &["link", "/east", "/region1", "--symbolic"],
        "/east is alias of /region1\n",
    );
    change(
        &["register", "/www", "10.0.0.2", "--replace"],
        "/www is 10.0.0.2\n",
    );
    change(
        &["rename", "/region1", "north/region1"],
        "/region1 is renamed to north/region1\n",
    );
    change(&["unregister", "printer"], "printer is unregistered\n");
    let written = "{\n  \"/east\": \"symlink:/region1\",\n  \"north\": {\n    \"region1\": {\n      \"server1\": \"10.0.0.2\"\n    }\n  },\n  \"/www\": \"link:north/region1/server1\"\n}\n";
    assert_eq!(std::fs::read_to_string(&names).unwrap(), written);
    for (arguments, code, why) in [
        (
            &["register", "/www", "10.0.0.3"][..],
            1,
            "/www: exists already: 10.0.0.2",
        ),
        (&["unregister", "printer"], 1, "printer: no such name"),
        (
            &["unregister", "/north"],
            1,
            "/north: a directory; it has region1",
        ),
        (
            &["register", "a/b", "10.0.0"],
            2,
            "register a/b: '10.0.0' is not an IP address; a text begins with text:",
        ),
        (&["link", "/north/l", "/north", "-s"], 0, ""),
        (
            &["link", "/x", "x/y", "-s"],
            1,
            "/x: symbolic links in a circle: x/y -> x/y",
        ),
    ] {
        let finished = run(NAMING, &[arguments, &["--names", &names]].concat());
        let err = if why.is_empty() {
            String::new()
        } else {
            format!("naming: {why}\n")
        };
        assert_eq!(
            (finished.code, finished.err),
            (Some(code), err),
            "{arguments:?}"
        );
    }
    refused(
        &["register", "x", "10.0.0.1"],
        2,
        "usage: --names FILE or --server HOST:PORT is required; the built-in names cannot be changed",
    );
    assert_eq!(
        std::fs::read_dir(names.rsplit_once('/').unwrap().0)
            .unwrap()
            .count(),
        1,
        "no temporary file is left"
    );
}

#[test]
fn one_file_is_changed_by_many_at_once() {
    let folder = Folder::new();
    let names = folder.path("names.json");
    let all: Vec<_> = (0..20)
        .map(|number| {
            testing::start(
                NAMING,
                &[
                    "register",
                    &format!("n{number}"),
                    "10.0.0.1",
                    "--names",
                    &names,
                ],
            )
        })
        .collect();
    for one in all {
        assert_eq!(one.finish().code, Some(0));
    }
    let finished = run(NAMING, &["list", "--names", &names]);
    assert_eq!(finished.out.lines().count(), 20, "{}", finished.out);
}

#[test]
fn names_survive_export_and_import() {
    let folder = Folder::new();
    let (names, again) = (folder.path("names.json"), folder.path("again.json"));
    for arguments in [
        &["register", "printer", "10.0.0.9", "text:\"in\\the hall"][..],
        &["register", "region1/server1", "10.0.0.1", "2001:db8::1"],
        &["link", "/www", "region1/server1"],
        &["link", "gateway", "/www", "--symbolic"],
    ] {
        assert_eq!(
            run(NAMING, &[arguments, &["--names", &names]].concat()).code,
            Some(0),
            "{arguments:?}"
        );
    }
    let zone = run(NAMING, &["export", "--names", &names, "--zone", "example."]);
    assert!(
        zone.out
            .contains("server1.region1.example. IN AAAA 2001:db8::1\n"),
        "{}",
        zone.out
    );
    let zone = folder.write("example.zone", zone.out);
    let imported = run(
        NAMING,
        &["import", &zone, "--zone", "example.", "--names", &again],
    );
    assert_eq!((imported.code, imported.out.as_str()), (Some(0), ""));
    assert_eq!(imported.err, format!("written: {again}\n"));
    let text = |path: &str| std::fs::read_to_string(path).unwrap();
    assert_eq!(text(&names), text(&again));
    assert_eq!(
        run(NAMING, &["import", &zone, "--zone", "example."]).out,
        text(&names)
    );
    refused(
        &["import", &zone],
        2,
        &format!("{zone}:2: example. is not in the zone lab."),
    );
}

#[test]
fn a_key_is_made_once() {
    let folder = Folder::new();
    let key = folder.path("lab.key");
    let finished = run(NAMING, &["keygen", "lab", "--key", &key]);
    assert_eq!(
        (finished.code, finished.err),
        (Some(0), format!("written: {key}\n"))
    );
    let text = std::fs::read_to_string(&key).unwrap();
    assert!(
        text.starts_with("key \"lab\" {\n    algorithm hmac-sha256;\n    secret \""),
        "{text}"
    );
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&key).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    refused(
        &["keygen", "lab", "--key", &key],
        2,
        &format!("{key}: file exists"),
    );
}

#[test]
fn the_handouts_program_is_short_and_the_page_of_the_experiment_shows_its_heart() {
    let page = include_str!("../../../docs/student/naming.md");
    testing::check_handout(
        include_str!("../src/handout.rs"),
        "crates/naming/src/handout.rs",
        page,
    );
}

/// The handout's program looks its region up first, as `name_server["region1"]` does, so its error is about the region
/// alone. Every other command resolves whole paths.
#[test]
fn without_a_command_the_handouts_program_runs() {
    let folder = Folder::new();
    let names = folder.write("names.json", r#"{"server1": "10.0.0.1"}"#);
    let why = "the root has no region1; it has nothing";
    let finished = run(NAMING, &["--names", &names]);
    assert_eq!(
        finished,
        Finished {
            code: Some(1),
            out: "IP address of server1: 10.0.0.1\n".into(),
            err: format!("naming: region1: {why}\n")
        }
    );
    let finished = run(
        NAMING,
        &["structured", "region1/server1", "--names", &names],
    );
    assert_eq!(finished.err, format!("naming: region1/server1: {why}\n"));
}

#[test]
fn lines_of_output_have_only_a_text() {
    let folder = Folder::new();
    let zone = folder.write("lab.zone", "server1.flat IN A 10.0.0.1\n");
    let (key, names) = (folder.path("lab.key"), folder.path("names.json"));
    let events = |arguments: &[&str]| run(NAMING, &[arguments, &["--json"]].concat()).events();
    for arguments in [
        &["tree"][..],
        &["export"],
        &["import", &zone],
        &["keygen"],
        &["explain", "region1/server1"],
    ] {
        let events = events(arguments);
        assert!(events.iter().any(|event| event.kind == Kind::Output));
        for event in events {
            let of_a_name = event.name.is_some() && event.value.is_some();
            let expected = match event.kind {
                Kind::Output => (true, false, false),
                // The result of an explanation.
                Kind::Resolve => (false, true, arguments[0] == "explain"),
                _ => continue,
            };
            assert_eq!(
                (event.text.is_some(), of_a_name, event.name.is_some()),
                expected,
                "{arguments:?}: {event:?}"
            );
        }
    }
    // A renamed name stands for nothing; the text says what was done.
    run(
        NAMING,
        &["register", "/region1", "10.0.0.1", "--names", &names],
    );
    let renamed = &events(&["rename", "/region1", "/north", "--names", &names])[0];
    assert_eq!(
        (renamed.name.as_deref(), &renamed.value),
        (Some("/region1"), &None)
    );
    for (arguments, path) in [
        (&["keygen", "--key", &key][..], &key),
        (&["import", &zone, "--names", &names], &names),
    ] {
        let log = format!("{path}.log");
        let finished = run(NAMING, &[arguments, &["--log", &log]].concat());
        assert_eq!(finished.err, format!("written: {path}\n"));
        let written = read_log(log)
            .into_iter()
            .rfind(|record| record.event.kind == Kind::Write);
        assert_eq!(written.unwrap().event.text.as_deref(), Some(path.as_str()));
    }
}

#[test]
fn no_module_uses_another_in_a_circle() {
    testing::check_modules(env!("CARGO_MANIFEST_DIR"));
}
