//! Flags, environment, lab file, and the help about them.

use common::{
    config::{CommandLine, command_line},
    testing::{self, Folder, Running},
};
use thread_server::config::{Cli, Settings};

const SERVER: &str = env!("CARGO_BIN_EXE_thread-server");

#[test]
fn the_command_line_is_valid_and_its_help_as_recorded() {
    testing::check_command_line::<Cli>(
        SERVER,
        concat!(env!("CARGO_MANIFEST_DIR"), "/tests/help.txt"),
    );
}

#[test]
fn it_prints_completions_and_manual_pages() {
    testing::check_documents::<Cli>(SERVER);
}

#[test]
fn each_subcommand_takes_its_own_flags_and_no_others() {
    assert!(testing::check_every_flag::<Cli>() >= 15);
    testing::check_refusals(
        SERVER,
        &[(
            &["--model", "iterative", "--workers", "2"],
            "--workers: goes with --model pool or prethreaded",
        )],
    );
}

#[test]
fn defaults_are_the_handouts() {
    let mut cli = command_line::<Cli>(["thread-server".into()]).unwrap();
    let settings = Settings::new(cli.options().clone()).unwrap();
    assert_eq!(settings.listen, "127.0.0.1:12345".parse().unwrap());
    assert_eq!(
        (settings.reply.as_str(), settings.backlog),
        ("Hello from server", 4096)
    );
    assert_eq!(settings.timeout.as_secs(), 10);
}

#[test]
fn flags_go_before_variables_before_the_file_before_defaults() {
    use std::{
        io::{Read, Write},
        net::TcpStream,
    };
    let folder = Folder::new();
    let lab = r#"{"thread-client": {"message": "not ours"},
        "thread-server": {"listen": "127.0.0.1:0", "reply": "from the file", "quiet": false}}"#;
    let file = folder.write("lab.json", lab);
    let reply = |flags: &[&str], variable: Option<&str>| {
        let mut command = testing::command(SERVER, flags);
        command.env("LAB_CONFIG", &file);
        if let Some(reply) = variable {
            command.env("THREAD_SERVER_REPLY", reply);
        }
        let mut server = Running::start(command);
        let mut stream = TcpStream::connect(server.ready()).unwrap();
        stream.write_all(b"Hello server").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    assert_eq!(
        reply(&["--reply", "from the flag"], Some("from the variable")),
        "from the flag"
    );
    assert_eq!(reply(&[], Some("from the variable")), "from the variable");
    assert_eq!(reply(&[], None), "from the file");
}

#[test]
fn an_error_is_one_line_and_exit_code_2() {
    let folder = Folder::new();
    let config = |name: &str, text: &str| folder.write(name, text);
    let key = config(
        "key.json",
        "{\"thread-server\": {\n  \"lisen\": \"127.0.0.1:0\"}}",
    );
    let value = config("value.json", "{\"thread-server\": {\"timeout\": \"2x\"}}");
    let section = config("section.json", "{\"thread-sever\": {}}");
    let twice = config(
        "twice.json",
        "{\"thread-server\": {}, \"thread-server\": {}}",
    );
    let broken = config("broken.json", "{\"thread-server\": {\"backlog\": 5,}}");
    let long = "x".repeat(1025);
    let refused: &[(&[&str], &str)] = &[
        (
            &["--lisen", "127.0.0.1:0"][..],
            "usage: unexpected argument '--lisen' found; ",
        ),
        (
            &["--listen", "localhost"],
            "usage: invalid value 'localhost' for '--listen <ADDR:PORT>': ",
        ),
        (
            &["--listen", "192.0.2.1:0"],
            "listen on 192.0.2.1:0: no such address on this machine",
        ),
        (
            &["--timeout", "5"],
            "usage: invalid value '5' for '--timeout <DURATION>': '5' is no length of time, ",
        ),
        (&["--timeout", "0s"], "--timeout: 0s is not in 1ms to 1day"),
        (
            &["--max-clients", "0"],
            "--max-clients: 0 is not in 1 to 1000000",
        ),
        (
            &["--reply", &long],
            "length of --reply in bytes: 1025 is not in 1 to 1024",
        ),
        (
            &["--name", "a b"],
            "--name: 'a b' is not 1 to 64 letters, digits or - _ . :",
        ),
        (
            &["--log", "/nonexistent/log"],
            "--log /nonexistent/log: no such file",
        ),
        (&["--config", "/nonexistent"], "/nonexistent: no such file"),
        (
            &["--config", &key],
            &format!("{key}:2:9: thread-server.lisen: unknown field `lisen`, expected one of "),
        ),
        (
            &["--config", &value],
            &format!("{value}:1:34: thread-server.timeout: '2x' is no length of time"),
        ),
        (
            &["--config", &section],
            &format!(
                "{section}:1:15: no program is called thread-sever; did you mean thread-server?"
            ),
        ),
        (
            &["--config", &twice],
            &format!("{twice}:1:37: a second section thread-server"),
        ),
        (
            &["--config", &broken],
            &format!("{broken}:1:33: trailing comma"),
        ),
    ];
    testing::check_refusals(SERVER, refused);
}
