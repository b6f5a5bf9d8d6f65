//! The examples in the help of each subcommand. A test runs every one.

pub(super) const PROGRAM: &str = "\
Examples:
  grade threads --cmd 'python3 server.py'       the server of experiment 3, in its sandbox
  grade threads --cmd 'python3 client.py' --role client
                                                the client; the grader is the server
  grade naming --cmd 'python3 names.py {scheme} {name}'
                                                the resolver of experiment 5, run for each name
  grade all --submissions class --suite suite.json --csv grades.csv
                                                each folder in class

Exit code: 0 full marks, 1 points lost, 2 could not be graded";

pub(super) const THREADS: &str = "\
Examples:
  grade threads --cmd 'python3 server.py'
  grade threads --cmd 'python3 server.py' --only idle,many --timeout 5s
  grade threads --cmd 'python3 client.py' --role client";

pub(super) const MULTICAST: &str = "\
Examples:
  grade multicast --cmd 'python3 receiver.py'
  grade multicast --cmd 'python3 receiver.py' --only joins,each
  grade multicast --cmd 'python3 sender.py' --role sender --address 224.1.1.1:5007";

pub(super) const NAMING: &str = "\
In the command stand for what is asked:
  {scheme}  flat or structured
  {name}    server1, or region1/server1
  {path}    the same in words: region1 server1
  {names}   a JSON file of names: texts are names, objects regions

Examples:
  grade naming --cmd 'python3 names.py {scheme} {name}'
  grade naming --cmd 'python3 names.py {scheme} {name} {names}' --only flat,structured
  grade naming --server 127.0.0.1:5300 --cmd 'python3 dns.py {names}'
                                                a name server; without --cmd one that runs there
  grade naming --cmd 'python3 names.py {scheme} {name}' --format junit --output naming.xml";

pub(super) const CLOCK: &str = "\
Requests on standard input, and the answers on standard output:
  {\"event\":\"send\"}              {\"time\":1}
  {\"event\":\"receive\",\"time\":5}  {\"time\":6}

Examples:
  grade clock --cmd 'python3 clock.py'
  grade clock --cmd 'python3 clock.py' --only send,above --repeat 2
  grade clock --cmd 'python3 clock.py' --hidden vectors --format gradescope --output results.json";

pub(super) const NODE: &str = "\
Workloads, as of lamport run --node: echo, unique-ids, broadcast, g-set, g-counter, pn-counter, lin-kv, clocks,
mutex, total, causal, election, wireless, commit, snapshot, time, berkeley

Examples:
  grade node echo --cmd 'python3 node.py echo'
  grade node unique-ids --cmd 'python3 node.py unique-ids' --seed 7
  grade node broadcast --cmd 'python3 node.py broadcast' --format json --output broadcast.json";

pub(super) const LOGS: &str = "\
Examples:
  grade logs logs
  grade logs logs --algorithm mutex
  grade logs logs --format junit --output logs.xml";

pub(super) const ALL: &str = "\
Examples:
  grade all --submissions class --suite suite.json --csv grades.csv --jobs 4
  grade all --submissions class --suite suite.json --only exchange --format junit --output grades.xml
  grade all --submissions class --suite suite.json --only exchange,idle

A suite: {\"version\": 1, \"parts\": [{\"experiment\": \"threads\", \"role\": \"server\",
  \"command\": \"python3 server.py\", \"files\": [\"server.py\"]}]}";
