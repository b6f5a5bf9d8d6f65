//! `dig +trace` goes from server to server as the client's own walk does: from a root of DNS (Knot, as the servers here have no root)
//! to `lab.` and the subtree that it delegates. What dig needs of the system's resolver, the addresses of the servers, it gets from
//! the recursive server.

use common::testing::{self, Finished};

use super::NAMING;

/// Servers on port 53 of three addresses and a resolver on a fourth; then each question, to dig and to the client.
const SCRIPT: &str = r#"
cat >root.zone <<'END'
. 60 IN SOA a.root-servers. admin. 1 60 60 60 60
. 60 IN NS a.root-servers.
a.root-servers. 60 IN A 127.0.0.1
lab. 60 IN NS lab.
lab. 60 IN A 127.0.0.2
END
cat >knot.conf <<END
server:
    rundir: "$PWD"
    listen: 127.0.0.1@53
database:
    storage: "$PWD"
zone:
  - domain: .
    file: "$PWD/root.zone"
END
ended() { kill $peers 2>/dev/null; wait; }
trap ended EXIT
knotd -c knot.conf >knot.out 2>&1 & peers=$!
echo '{"/gateway": "10.0.0.1"}' >lab.json
echo '{"/server1": "10.1.0.1"}' >region1.json
serve() {
    "$NAMING" serve --quiet --ready-file ready "$@" >/dev/null & peers="$peers $!"
    until [ -s ready ]; do sleep 0.02; done
    rm ready
}
serve --listen 127.0.0.2:53 --names lab.json --delegate region1=127.0.0.3
serve --listen 127.0.0.3:53 --zone region1.lab. --names region1.json
serve --listen 127.0.0.4:53 --recursive --root 127.0.0.1:53
until dig @127.0.0.1 +tries=1 +time=1 . NS +short | grep -q root; do sleep 0.02; done
echo 'nameserver 127.0.0.4' >resolv.conf
mount --bind resolv.conf /etc/resolv.conf
while read -r path name type; do
    echo "question $name $type"
    dig @127.0.0.1 +trace +nodnssec "$name" "$type"
    "$NAMING" resolve "$path" --type "$type" --iterative --trace --server 127.0.0.1:53 || [ $? = 1 ]
done <<'END'
region1/server1 server1.region1.lab. A
/gateway gateway.lab. A
region1/server1 server1.region1.lab. AAAA
region1/nobody nobody.region1.lab. A
END
"#;

/// The servers that the walks asked, and whether they found these data.
fn walks<'a>(part: &'a str, data: &str) -> [(Vec<&'a str>, bool); 2] {
    let between =
        |line: &'a str, before, after| Some(line.split_once(before)?.1.split_once(after)?.0);
    let (mut dig, mut own) = (Vec::new(), Vec::new());
    let (mut dig_found, mut own_found) = (false, false);
    for line in part.lines() {
        dig.extend(between(line, " bytes from ", "#53"));
        own.extend(between(line, "query to ", ":53: "));
        let words: Vec<_> = line.split_whitespace().collect();
        dig_found |= matches!(words[..], [_, "60", "IN", "A", address] if address == data);
        own_found |= line.starts_with("reply from ") && line.ends_with(data);
    }
    // Dig asks the first server twice, for the servers of the root before.
    assert_eq!(dig.first(), Some(&"127.0.0.1"), "{part}");
    dig.remove(0);
    [(dig, dig_found), (own, own_found)]
}

#[test]
fn dig_walks_as_the_client_does() {
    if !["knotd", "dig", "mount"]
        .into_iter()
        .all(testing::have_program)
    {
        return;
    }
    // A mount is seen in this namespace alone.
    let script = format!("cat >script <<'SCRIPT'\n{SCRIPT}\nSCRIPT\nexec unshare -m sh -eu script");
    let Some(finished) = testing::in_namespace(&script, &[("NAMING", NAMING)]) else {
        return;
    };
    let Finished { code, out, .. } = &finished;
    assert_eq!(*code, Some(0), "{finished:?}");
    let parts: Vec<_> = out.split("question ").skip(1).collect();
    let last = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    for (part, servers, data) in [
        (0, &last[..], "10.1.0.1"),
        (1, &last[..2], "10.0.0.1"),
        (2, &last[..], ""),
        (3, &last[..], ""),
    ] {
        for (asked, has_found) in walks(parts[part], data) {
            assert_eq!(asked, servers, "{}", parts[part]);
            assert!(has_found || data.is_empty(), "{}", parts[part]);
        }
    }
    assert!(parts[3].contains("NXDOMAIN"), "{}", parts[3]);
}
