//! `catalog`: building, building anew, routes and pages.

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use mcpmux::catalog::{Before, Inventory, Naming, Source, build, rebuild};
use mcpmux::config::{Rules, Settings};
use mcpmux::protocol::{Kind, ServerName};
use mcpmux::wire::Json;

/// Tools of one server.
const TOOLS: usize = 100;

pub(crate) fn all(criterion: &mut Criterion) {
    building(criterion);
    building_anew(criterion);
    serving(criterion);
}

/// The answer of a server to `tools/list`; each tool has some 400 bytes.
fn page(server: usize, version: usize) -> Json {
    list(server, version, TOOLS)
}

fn list(server: usize, version: usize, tools: usize) -> Json {
    let tool = |number| {
        let purpose = "Does what its name says, as well as can be. ".repeat(3);
        format!(
            r#"{{"name":"tool_{number:03}","title":"Tool {number} of {server}","description":"{purpose}({version})","inputSchema":{{"type":"object","properties":{{"path":{{"type":"string","description":"where"}},"limit":{{"type":"integer","minimum":1}}}},"required":["path"]}}}}"#
        )
    };
    let tools: Vec<String> = (0..tools).map(tool).collect();
    Json::parse(format!(r#"{{"tools":[{}]}}"#, tools.join(","))).expect("it is JSON")
}

fn source(number: usize, page: Json) -> Source {
    let name = format!("server{number}");
    let (inventory, dropped) = Inventory::from_pages(&[(Kind::Tool, page)]);
    assert!(dropped.is_empty(), "the list is in order");
    Source {
        server: ServerName::new(name.as_str()),
        rules: Arc::new(Rules {
            prefix: Some(name),
            ..Rules::default()
        }),
        inventory: Arc::new(inventory),
    }
}

fn sources(count: usize) -> Vec<Source> {
    (0..count)
        .map(|number| source(number, page(number, 0)))
        .collect()
}

fn building(criterion: &mut Criterion) {
    let settings = Settings::default();
    let naming = Naming::of(&settings);
    let mut group = criterion.benchmark_group("catalog");
    group.bench_function("read one inventory", |bench| {
        let pages = [(Kind::Tool, page(0, 0))];
        bench.iter(|| Inventory::from_pages(black_box(&pages)));
    });
    for count in [1, 100] {
        let sources = sources(count);
        group.bench_function(format!("build/{count} servers"), |bench| {
            bench.iter(|| build(black_box(&sources), &naming, 1));
        });
    }
}

/// One server of a hundred says something else of each of its tools, or has one tool more.
fn building_anew(criterion: &mut Criterion) {
    let settings = Settings::default();
    let naming = Naming::of(&settings);
    let sources = sources(100);
    let catalog = build(&sources, &naming, 1).catalog;
    let before = Before {
        catalog: &catalog,
        sources: &sources,
    };
    let mut group = criterion.benchmark_group("catalog");
    let changes = [
        ("other descriptions", source(50, page(50, 1))),
        ("one more tool", source(50, list(50, 0, TOOLS + 1))),
    ];
    for (what, changed) in changes {
        let mut sources = sources.clone();
        sources[50] = changed;
        group.bench_function(format!("build anew/{what}"), |bench| {
            bench.iter(|| {
                let built = rebuild(Some(before), black_box(&sources), &naming, 2);
                built.catalog.changed_from(&catalog)
            });
        });
    }
}

fn serving(criterion: &mut Criterion) {
    let settings = Settings::default();
    let naming = Naming::of(&settings);
    for count in [1, 100] {
        let catalog = build(&sources(count), &naming, 1).catalog;
        let last = format!("server{}__tool_099", count - 1);
        let mut group = criterion.benchmark_group(format!("{count} servers"));
        group.bench_function("route", |bench| {
            bench.iter(|| catalog.route(Kind::Tool, black_box(&last)).cloned());
        });
        group.bench_function("first page", |bench| {
            bench.iter(|| catalog.page(Kind::Tool, black_box(None)));
        });
    }
}
