//! `catalog`: building, building anew, routes and pages.

use std::hint::black_box;
use std::sync::Arc;

use criterion::Criterion;
use mcpmux::catalog::{Inventory, Naming, Source, build};
use mcpmux::config::{Rules, Settings};
use mcpmux::protocol::{Kind, ServerName};
use mcpmux::wire::Json;

/// Tools of one server.
const TOOLS: usize = 100;

pub(crate) fn all(criterion: &mut Criterion) {
    building(criterion);
    serving(criterion);
}

/// The answer of a server to `tools/list`; each tool has some 400 bytes.
fn page(server: usize, version: usize) -> Json {
    let tool = |number| {
        let purpose = "Does what its name says, as well as can be. ".repeat(3);
        format!(
            r#"{{"name":"tool_{number:03}","title":"Tool {number} of {server}","description":"{purpose}({version})","inputSchema":{{"type":"object","properties":{{"path":{{"type":"string","description":"where"}},"limit":{{"type":"integer","minimum":1}}}},"required":["path"]}}}}"#
        )
    };
    let tools: Vec<String> = (0..TOOLS).map(tool).collect();
    Json::parse(format!(r#"{{"tools":[{}]}}"#, tools.join(","))).expect("it is JSON")
}

fn source(number: usize, version: usize) -> Source {
    let name = format!("server{number}");
    let (inventory, dropped) = Inventory::from_pages(&[(Kind::Tool, page(number, version))]);
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
    (0..count).map(|number| source(number, 0)).collect()
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
