//! The examples in the help of each subcommand, and the words that its flags take. A test runs every example.

/// A subcommand's examples, and the words that its options take.
macro_rules! with_words {
    ($examples:literal) => {
        concat!(
            "Algorithms:\n",
            "  events           events and messages: send, receive, local\n",
            "  mutex, ricart-agrawala      mutual exclusion, Lamport's: 3(N-1) messages an entry; theirs: 2(N-1)\n",
            "  central, token-ring, maekawa  the same by a coordinator, p1: 3; a token: 1 to any number; quorums: 3 to 5 times √N\n",
            "  total, causal    multicasts in one order, to replicas of a bank account; or in causal order\n",
            "  bully, ring, wireless  election of the highest process that lives; or of the best that is connected\n",
            "  two-phase, three-phase  distributed commit: blocked when its coordinator, p1, crashes; or not\n",
            "  cristian, ntp, berkeley  clock synchronization: by a time server, p1; by the average of all clocks\n",
            "  snapshot, vector-snapshot  snapshots of a bank: by markers over FIFO channels, by vector time over any\n",
            "Bugs:\n",
            "  no-tie-break, no-advance  each takes its own of two equal times as the first; a receive does not move the clock\n",
            "  no-acknowledgement  a process does not wait for acknowledgements, replies, grants or answers\n",
            "  no-hold-back, unfair-queue  multicasts are delivered as they arrive; requests are granted by process\n",
            "  no-timeout, no-discard, no-removal, old-terms, late-parent  elections: wait, pass on too much, mix terms or parents\n",
            "  no-relinquish, keep-token, no-round, no-blocking  locks stay; a token stays, or is made; who must wait aborts\n",
            "  no-marker, late-record, no-channel-state, no-piggyback, no-counters   snapshots with a part left out\n",
            "  no-halving, stale-reply, set-back, average-outliers, wrong-sign  clocks: wrong averages, late replies\n\n",
            $examples
        )
    };
}

pub(super) const PROGRAM: &str = "\
Examples:
  lamport                                       the handout's two clocks and one message
  lamport simulate mutex --processes 3 --count 1
                                                three processes in simulated time; prints each event
  lamport simulate total --loss 10% --duplicate 10% --reorder 10% --seeds 100
                                                a hundred runs over an unreliable network
  lamport simulate mutex --bug no-tie-break --seeds 1000
                                                an injected bug, and a shortest run that shows it: exit code 1
  lamport run mutex --processes 5 --loss 10% --for 1s
                                                five real processes
  lamport run echo --node 'python3 node.py echo' --for 1s
                                                three nodes of your own, under this network
  lamport check mutex --processes 2             every interleaving of two processes
  lamport trace server.jsonl client.jsonl       the logs of any programs as one diagram
  lamport node events --name p1 --listen 127.0.0.1:4001 --peer p2=127.0.0.1:4002
                                                one process by hand, until Ctrl-C; another terminal has p2";

pub(super) const SIMULATE: &str = with_words!(
    "\
Examples:
  lamport simulate mutex --processes 3 --count 2 --seed 7
  lamport simulate causal --delay exp:20ms --partition 'p1/p2,p3@1s..2s' --for 3s
  lamport simulate total --crash p2@100ms..2s --logs logs
  lamport simulate bully --crash p3@100ms --count 3
  lamport simulate snapshot --channels unordered --seeds 100
                                                  Chandy and Lamport's snapshots need FIFO channels: exit code 1
  lamport simulate ntp --slow 'p1>*:20ms@1s' --for 2s --plot clocks.svg"
);

pub(super) const RUN: &str = with_words!(
    "\
Workloads of --node (docs/reference/nodes.md): of this lab clocks, mutex, total, causal, election, wireless,
  commit, snapshot, time, berkeley; of Maelstrom echo, unique-ids, broadcast, g-set, g-counter, pn-counter, lin-kv

Examples:
  lamport run mutex --crash p2@500ms --for 1s   kill -9 for p2: no request is granted after it, exit code 1
  lamport run bully --count 3 --crash p3@500ms --for 1s   kill -9 for the leader: the others elect p2
  lamport run cristian --for 1s --clock-offset p2=2s      p2's clock, and its log, are two seconds ahead
  lamport run broadcast --node 'python3 node.py broadcast' --for 1s --partition 'n1/*@200ms..400ms'"
);

pub(super) const CHECK: &str = with_words!(
    "\
Examples:
  lamport check mutex --processes 2 --count 1     the processes as they run
  lamport check mutex --processes 3 --max-clock 4
                                                  the TLA+ module LamportMutex, whose counts are published
  lamport check mutex --processes 2 --bug no-tie-break --logs logs
                                                  an injected bug, and a shortest counterexample: exit code 1
  lamport check central --may-reorder 1           a network that may deliver one message out of order
  lamport check bully --processes 2 --may-suspect 2
                                                  a failure detector that is wrong twice
  lamport check snapshot --channels unordered     each message arrives once, in any order: exit code 1
  lamport check central --liveness                whether a process can wait for ever, the scheduler being fair"
);

pub(super) const EXPLORE: &str = with_words!(
    "\
Examples, each until Ctrl-C:
  lamport explore mutex --processes 2
  lamport explore mutex --processes 2 --bug no-tie-break --listen 127.0.0.1:0
  lamport explore mutex --max-clock 3             the TLA+ module LamportMutex"
);

pub(super) const COMPARE: &str = "\
Examples:
  lamport compare mutex                           the messages of an entry, of every algorithm of mutual exclusion
  lamport compare mutex --processes 3..9 --plot messages.svg
                                                  the same as a picture
  lamport compare election                        the messages of an election, of every algorithm that elects a leader
  lamport compare mutex --processes 13 --json     thousandths of messages, for a program";

pub(super) const TRACE: &str = "\
Examples:
  lamport trace server.jsonl client.jsonl         the newest events, in the terminal
  lamport trace logs/ --check                     is this execution possible? exit code 0 or 1
  lamport trace logs/ --html run.html             an interactive page
  lamport trace server.jsonl --svg threads.svg --axis wall --lanes thread
                                                  which thread served which client, when
  lamport trace shiviz.log --check                a log with vector clocks, of any program
  lamport trace app.ndjson --fields host=name,clock=vc,event=msg
                                                  JSON of any program
  lamport trace - <server.jsonl                   a log from standard input";

pub(super) const NODE: &str = with_words!(
    "\
Examples, one in each of three terminals, until Ctrl-C; type help:
  lamport node mutex --name p1 --listen 127.0.0.1:4001 --peer p2=127.0.0.1:4002 --peer p3=127.0.0.1:4003
  lamport node mutex --name p2 --listen 127.0.0.1:4002 --peer p1=127.0.0.1:4001 --peer p3=127.0.0.1:4003
  lamport node mutex --name p3 --listen 127.0.0.1:4003 --peer p1=127.0.0.1:4001 --peer p2=127.0.0.1:4002"
);
