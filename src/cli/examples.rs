//! The tails of the long helps: examples that can be pasted.

/// Below `mcpmux --help`.
pub(super) const MCPMUX: &str = "\
Examples:
  mcpmux serve --config mcp-config.json            serve one client on stdin and stdout
  mcpmux serve --config mcp-config.json --http     serve everybody at http://127.0.0.1:8808/mcp
  mcpmux check                                     try every server of ./mcp-config.json
  mcpmux list tools                                print the tools that clients will see
  mcpmux call fs__read_file path=README.md         call one of them

Exit codes:
  0    all went well
  1    something failed while running
  2    wrong arguments or a wrong configuration
  3    a required server is unavailable
  4    `call`: the tool answered with an error
  130  ended by SIGINT (143: by SIGTERM), after a clean shutdown";

/// Below `mcpmux serve --help`.
pub(super) const SERVE: &str = "\
Examples:
  mcpmux serve                                     as `mux.listen` of ./mcp-config.json says
  mcpmux serve --config ~/mcp.json                 what to register in a client
  mcpmux serve --http                              at `mux.listen`, or http://127.0.0.1:8808/mcp
  mcpmux serve --http 127.0.0.1:9000 --log-level debug
  mcpmux serve --stdio --http                      both at once
  mcpmux serve --config team.json --config mine.json";

/// Below `mcpmux check --help`.
pub(super) const CHECK: &str = "\
Examples:
  mcpmux check                                     try every server of ./mcp-config.json
  mcpmux check --config mcp.json --offline         only read the file
  mcpmux check --offline --explain                 every value, its file and line
  mcpmux check --strict                            for scripts: 3 if any server is unavailable
  mcpmux check --json | jq '.servers[] | select(.state != \"ready\").name'

Exit codes: 0 valid, and every required server works; 2 invalid; 3 a required server does not work.";

/// Below `mcpmux login --help`.
pub(super) const LOGIN: &str = "\
Examples:
  mcpmux login linear                              in the browser
  mcpmux login linear --no-browser                 prints the page to open, say on another machine
  mcpmux login github --device                     with a code, on any device
  mcpmux login github --scope repo                 for more than the server asks for

`BROWSER` names another browser than that of the system.";

/// Below `mcpmux logout --help`.
pub(super) const LOGOUT: &str = "\
Examples:
  mcpmux logout linear";

/// Below `mcpmux list --help`.
pub(super) const LIST: &str = "\
Examples:
  mcpmux list                                      the whole catalog
  mcpmux list tools --config mcp.json
  mcpmux list servers                              states, protocol revisions and counts
  mcpmux list tools --json | jq -r '.[].name'";

/// Below `mcpmux call --help`.
pub(super) const CALL: &str = "\
Examples:
  mcpmux call fs__read_file path=README.md
  mcpmux call gh__search_issues query='is:open label:bug' limit=5 labels='[\"a\",\"b\"]'
  mcpmux call gh__create_issue '{\"title\":\"It broke\",\"body\":\"Badly.\"}'
  mcpmux call weather__now city=Oslo --json | jq .structuredContent

Exit codes: 0 the tool answered; 4 it answered with an error; 1 there was no answer.";

/// Below `mcpmux read --help`.
pub(super) const READ: &str = "\
Examples:
  mcpmux read file:///etc/hostname
  mcpmux read gh+file:///shared/notes.md           one of two servers with the same URI
  mcpmux read 'db://tables/users' --json | jq '.contents[0].mimeType'";

/// Below `mcpmux prompt --help`.
pub(super) const PROMPT: &str = "\
Examples:
  mcpmux prompt gh__review_pull_request number=17
  mcpmux prompt notes__summary topic='the last week' --json | jq '.messages[0].content'";

/// Below `mcpmux add --help`.
pub(super) const ADD: &str = "\
Examples:
  mcpmux add fs -- npx -y @modelcontextprotocol/server-filesystem ~/notes
  mcpmux add gh --env GITHUB_TOKEN='${GITHUB_TOKEN}' -- npx -y @modelcontextprotocol/server-github
  mcpmux add docs https://example.com/mcp --header 'Authorization: Bearer ${DOCS_TOKEN}'
  mcpmux add live wss://example.com/mcp --prefix l --config team.json
  mcpmux add fs --force --dry-run -- my-server     what replacing `fs` would change";

/// Below `mcpmux remove --help`.
pub(super) const REMOVE: &str = "\
Examples:
  mcpmux remove fs
  mcpmux remove fs --config team.json --dry-run    print what would go";

/// Below `mcpmux enable --help`.
pub(super) const ENABLE: &str = "\
Examples:
  mcpmux enable fs";

/// Below `mcpmux disable --help`.
pub(super) const DISABLE: &str = "\
Examples:
  mcpmux disable fs
  mcpmux disable fs --json | jq -r .file           which file has it";

/// Below `mcpmux import --help`.
pub(super) const IMPORT: &str = "\
Examples:
  mcpmux import                                    what all programs have; shown first
  mcpmux import cursor --dry-run                   only print the difference
  mcpmux import ./other.json --config ~/mcp.json --yes
  mcpmux import --json | jq '.servers[] | select(.state == \"conflict\")'";

/// Below `mcpmux export --help`.
pub(super) const EXPORT: &str = "\
Examples:
  mcpmux export claude-desktop                     show the difference, ask, and write it
  mcpmux export codex --config ~/mcp.json --yes    with this configuration, without asking
  mcpmux export cursor --http                      as the URL of a mux that serves HTTP
  mcpmux export vscode --project                   in .vscode/mcp.json of this directory
  mcpmux export zed --print                        only print what would be registered
  mcpmux export codex --undo                       take it back";

/// Below `mcpmux reload --help`.
pub(super) const RELOAD: &str = "\
Examples:
  mcpmux reload --config mcp.json
  mcpmux reload --dry-run --config mcp.json
  mcpmux reload --url http://127.0.0.1:8808 --json";

/// Below `mcpmux schema --help`.
pub(super) const SCHEMA: &str = "\
Examples:
  mcpmux schema > mcpmux.schema.json
  Then, as the first member of the configuration:  \"$schema\": \"./mcpmux.schema.json\"";

/// Below `mcpmux completions --help`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  mcpmux completions bash > ~/.local/share/bash-completion/completions/mcpmux
  mcpmux completions zsh > ~/.zfunc/_mcpmux
  mcpmux completions fish > ~/.config/fish/completions/mcpmux.fish";
