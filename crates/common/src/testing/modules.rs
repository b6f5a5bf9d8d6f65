//! Circles of modules.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

/// A module's path below the root of its crate, which is the empty one.
type Module = Vec<String>;

/// Checks that no module of a crate uses another one in a circle. A module is a file below `src`; it uses what stands in
/// it as a path that begins with `crate`, `super`, `self` or one of its children. Modules of tests do not count.
///
/// # Panics
/// When there is a circle, with the modules of each.
pub fn check_modules(crate_folder: &str) {
    let circles = circles(&graph(&Path::new(crate_folder).join("src")));
    assert!(circles.is_empty(), "modules in a circle: {circles:?}");
}

/// Which modules each module uses.
fn graph(source: &Path) -> BTreeMap<Module, BTreeSet<Module>> {
    let mut texts = BTreeMap::new();
    read(source, &Vec::new(), &mut texts);
    let modules: BTreeSet<Module> = texts.keys().cloned().collect();
    let uses = |(module, text): (&Module, &String)| {
        let paths = paths(text);
        let used = paths
            .iter()
            .filter_map(|path| resolve(module, path, &modules));
        let used = used.filter(|used| used != module && !used.is_empty());
        (module.clone(), used.collect())
    };
    texts.iter().map(uses).collect()
}

/// The text of each module below this folder, without comments and tests.
fn read(folder: &Path, module: &Module, texts: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(folder).expect("a folder of sources") {
        let path = entry.expect("an entry").path();
        let name = path.file_stem().expect("a name").to_string_lossy();
        let below = || [module.as_slice(), &[name.to_string()]].concat();
        if path.is_dir() {
            read(&path, &below(), texts);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let module = match &*name {
                "main" | "tests" => continue,
                "lib" | "mod" => module.clone(),
                _ => below(),
            };
            texts.insert(module, code(&fs::read_to_string(&path).expect("text")));
        }
    }
}

/// The code of a file down to its tests, without comments.
fn code(text: &str) -> String {
    let lines = text.lines().collect::<Vec<_>>();
    let tests = lines.windows(2).position(|pair| {
        pair[0].starts_with("#[cfg(") && pair[0].contains("test") && pair[1].ends_with('{')
    });
    let lines = &lines[..tests.unwrap_or(lines.len())];
    let code = lines
        .iter()
        .map(|line| line.split("//").next().unwrap_or_default());
    code.collect::<Vec<_>>().join("\n")
}

/// Every path in the code, each as its parts; those of a `use` with braces one by one.
fn paths(code: &str) -> Vec<Vec<String>> {
    let mut paths = Vec::new();
    let mut prefixes: Vec<Vec<String>> = Vec::new();
    let mut path: Vec<String> = Vec::new();
    let mut end = |path: &mut Vec<String>, prefix: Option<&Vec<String>>| {
        if !path.is_empty() {
            let whole = prefix.into_iter().flatten().chain(path.iter());
            paths.push(whole.cloned().collect());
            path.clear();
        }
    };
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let word = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
        match word.unwrap_or(rest.len()) {
            0 if rest.starts_with("::{") => {
                let prefix = prefixes.last().into_iter().flatten().chain(&path);
                prefixes.push(prefix.cloned().collect());
                path.clear();
                rest = &rest[3..];
            }
            0 if rest.starts_with("::") => rest = &rest[2..],
            0 => {
                end(&mut path, prefixes.last());
                match first {
                    // The braces of code stand in a group of their own, in which a path has no prefix.
                    '{' => prefixes.push(Vec::new()),
                    '}' => drop(prefixes.pop()),
                    _ => {}
                }
                rest = &rest[first.len_utf8()..];
            }
            length => {
                path.push(rest[..length].to_owned());
                rest = &rest[length..];
                if !rest.starts_with("::") {
                    end(&mut path, prefixes.last());
                }
            }
        }
    }
    end(&mut path, None);
    paths
}

/// The module in which what a path names stands; None when it is not of this crate.
fn resolve(module: &Module, path: &[String], modules: &BTreeSet<Module>) -> Option<Module> {
    // A word alone is a declaration, a variable, or the `super` of a visibility.
    if path.len() < 2 {
        return None;
    }
    let (mut at, mut rest) = match path[0].as_str() {
        "crate" => (Vec::new(), &path[1..]),
        "self" => (module.clone(), &path[1..]),
        "super" => (module.clone(), path),
        child => {
            let is_child = modules.contains(&[module.as_slice(), &[child.to_owned()]].concat());
            is_child.then(|| (module.clone(), path))?
        }
    };
    while let Some((_, after)) = rest.split_first().filter(|(part, _)| *part == "super") {
        at.pop()?;
        rest = after;
    }
    for part in rest {
        let below = [at.as_slice(), std::slice::from_ref(part)].concat();
        if !modules.contains(&below) {
            break;
        }
        at = below;
    }
    Some(at)
}

/// The modules that reach one another, in groups.
fn circles(graph: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<Vec<String>> {
    let reached = |from: &Module| {
        let mut reached = BTreeSet::new();
        let mut next: Vec<&Module> = graph[from].iter().collect();
        while let Some(module) = next.pop() {
            if reached.insert(module) {
                next.extend(graph.get(module).into_iter().flatten());
            }
        }
        reached
    };
    let all: BTreeMap<&Module, _> = graph
        .keys()
        .map(|module| (module, reached(module)))
        .collect();
    let circle = |(module, reached): (&&Module, &BTreeSet<&Module>)| {
        let circle = reached.iter().filter(|other| all[*other].contains(*module));
        circle.map(|module| module.join("::")).collect::<Vec<_>>()
    };
    all.iter()
        .map(circle)
        .filter(|circle| !circle.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Folder;

    /// The circles of a crate with these files below `src`.
    fn circles_of(files: &[(&str, &str)]) -> Vec<Vec<String>> {
        let folder = Folder::new();
        for (name, text) in files {
            let path = folder.path(name);
            fs::create_dir_all(Path::new(&path).parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        circles(&graph(Path::new(&folder.path(""))))
            .into_iter()
            .collect()
    }

    #[test]
    fn a_circle_is_found_whatever_way_a_module_is_named() {
        let found = [["a", "b"].map(str::to_owned).to_vec()];
        for uses in [
            "use crate::a::Thing;",
            "use crate::{a::{Thing, Other}, c};",
            "fn f() { crate::a::f(); }",
            "use super::a;\nfn f() { a::f() }",
            "use super::{c::X,\n    a::Thing};",
        ] {
            let b = ("b.rs", uses);
            let files = [("a.rs", "use crate::b::X;"), b, ("c.rs", "use std::io;")];
            assert_eq!(circles_of(&files), found, "{uses}");
        }
        let files = [
            ("a.rs", "mod b;\nfn f() { b::g() }"),
            ("a/b.rs", "use super::Thing;"),
        ];
        assert_eq!(
            circles_of(&files),
            [["a", "a::b"].map(str::to_owned).to_vec()]
        );
    }

    #[test]
    fn no_module_of_this_crate_uses_another_in_a_circle() {
        check_modules(env!("CARGO_MANIFEST_DIR"));
    }

    #[test]
    fn what_is_no_circle_is_none() {
        for b in [
            "// crate::a::Thing\nuse crate::c::a;",
            "#[cfg(test)]\nmod tests {\n    use crate::a::Thing;\n}",
            "fn f() { let a = 1; g(a) }",
            "pub(super) fn a() {}",
        ] {
            let files = [("a.rs", "use crate::b::X;"), ("b.rs", b), ("c.rs", "")];
            assert_eq!(circles_of(&files), Vec::<Vec<String>>::new(), "{b}");
        }
    }
}
