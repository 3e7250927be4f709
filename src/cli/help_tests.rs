//! The helps as they are printed.

use super::command;

/// The long help of a command, `&[]` being the program.
fn help(path: &[&str]) -> String {
    let mut command = command();
    command.build();
    let command = path.iter().fold(&mut command, |command, name| {
        command
            .find_subcommand_mut(name)
            .expect("the command exists")
    });
    let text = command.render_long_help().to_string();
    let lines: Vec<&str> = text.lines().map(str::trim_end).collect();
    lines.join("\n")
}

#[test]
fn help_of_the_program() {
    insta::assert_snapshot!(help(&[]), @r"
        One MCP server in front of many: mcpmux connects to every server of a configuration file
        and offers their tools, resources and prompts as if they came from one.

        Usage: mcpmux [OPTIONS] <COMMAND>

        Commands:
          serve        Run the mux
          check        Check the configuration and try every server
          list         Print the merged catalog
          call         Call a tool
          read         Read a resource
          prompt       Get a prompt
          add          Add a server to the configuration
          remove       Remove a server from the configuration
          enable       Switch a server on again
          disable      Switch a server off and keep its entry
          import       Take over the servers of other programs
          export       Register mcpmux in another program
          reload       Make a running mux follow its files
          login        Log in at a server that wants OAuth
          logout       Forget the login at a server
          schema       Print the JSON Schema of the configuration
          completions  Print a completion script for a shell
          help         Print this message or the help of the given subcommand(s)

        Options:
              --config <FILE>
                  Read this configuration file; may be repeated, later files win

                  Without it the first of these is read:
                  `$MCPMUX_CONFIG`, `./mcp-config.json`, `$XDG_CONFIG_HOME/mcpmux/config.json`.

              --log-level <LEVEL>
                  Log this much to stderr: off, error, warn, info, debug or trace

                  Takes the directives of `RUST_LOG` too, such as `mcpmux=debug,hyper=info`.
                  Beats `MCPMUX_LOG`, which beats `RUST_LOG`, which beats `mux.logLevel` of the file.

          -h, --help
                  Print help (see a summary with '-h')

          -V, --version
                  Print version

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
          130  ended by SIGINT (143: by SIGTERM), after a clean shutdown
        ");
}

#[test]
fn help_of_serve() {
    insta::assert_snapshot!(help(&["serve"]), @r"
        Run the mux

        Without `--stdio` and `--http`, `mux.listen` in the configuration decides;
        where that is absent too, the mux serves stdio.

        Usage: mcpmux serve [OPTIONS]

        Options:
              --stdio
                  Serve one client on stdin and stdout

              --http [<ADDR>]
                  Serve streamable HTTP at ADDR [default: `mux.listen`, else 127.0.0.1:8808]

                  The endpoint is `http://ADDR/mcp`. ADDR may be `unix:/PATH`, a Unix socket.
                  Together with `--stdio`, the end of stdin ends only the stdio link.

              --config <FILE>
                  Read this configuration file; may be repeated, later files win

                  Without it the first of these is read:
                  `$MCPMUX_CONFIG`, `./mcp-config.json`, `$XDG_CONFIG_HOME/mcpmux/config.json`.

              --log-level <LEVEL>
                  Log this much to stderr: off, error, warn, info, debug or trace

                  Takes the directives of `RUST_LOG` too, such as `mcpmux=debug,hyper=info`.
                  Beats `MCPMUX_LOG`, which beats `RUST_LOG`, which beats `mux.logLevel` of the file.

          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          mcpmux serve                                     as `mux.listen` of ./mcp-config.json says
          mcpmux serve --config ~/mcp.json                 what to register in a client
          mcpmux serve --http                              at `mux.listen`, or http://127.0.0.1:8808/mcp
          mcpmux serve --http 127.0.0.1:9000 --log-level debug
          mcpmux serve --stdio --http                      both at once
          mcpmux serve --config team.json --config mine.json
        ");
}

#[test]
fn help_of_list() {
    insta::assert_snapshot!(help(&["list"]), @r"
        Print the merged catalog

        Every entry has the name that clients see.
        Servers that are not available are named on stderr.

        Usage: mcpmux list [OPTIONS] [WHAT]

        Arguments:
          [WHAT]
                  Which list to print [default: the whole catalog]

                  Possible values:
                  - servers:   The servers and their states
                  - tools:     The tools
                  - resources: The resources
                  - templates: The resource templates
                  - prompts:   The prompts

        Options:
              --json
                  Print JSON, for scripts

              --config <FILE>
                  Read this configuration file; may be repeated, later files win

                  Without it the first of these is read:
                  `$MCPMUX_CONFIG`, `./mcp-config.json`, `$XDG_CONFIG_HOME/mcpmux/config.json`.

              --log-level <LEVEL>
                  Log this much to stderr: off, error, warn, info, debug or trace

                  Takes the directives of `RUST_LOG` too, such as `mcpmux=debug,hyper=info`.
                  Beats `MCPMUX_LOG`, which beats `RUST_LOG`, which beats `mux.logLevel` of the file.

          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          mcpmux list                                      the whole catalog
          mcpmux list tools --config mcp.json
          mcpmux list servers                              states, protocol revisions and counts
          mcpmux list tools --json | jq -r '.[].name'
        ");
}

#[test]
fn help_of_call() {
    insta::assert_snapshot!(help(&["call"]), @r#"
        Call a tool

        The arguments are one JSON object, or `key=value` pairs. A value is read as the
        tool's input schema says; where that is silent, as JSON, else as a string.

        Text is printed as it is. Structured content is printed where there is no text.
        `--json` prints the whole result.

        Usage: mcpmux call [OPTIONS] <NAME> [JSON | KEY=VALUE]...

        Arguments:
          <NAME>
                  Name of the tool, as clients see it

          [JSON | KEY=VALUE]...
                  The tool's arguments: one JSON object, or key=value pairs

        Options:
              --json
                  Print JSON, for scripts

              --config <FILE>
                  Read this configuration file; may be repeated, later files win

                  Without it the first of these is read:
                  `$MCPMUX_CONFIG`, `./mcp-config.json`, `$XDG_CONFIG_HOME/mcpmux/config.json`.

              --log-level <LEVEL>
                  Log this much to stderr: off, error, warn, info, debug or trace

                  Takes the directives of `RUST_LOG` too, such as `mcpmux=debug,hyper=info`.
                  Beats `MCPMUX_LOG`, which beats `RUST_LOG`, which beats `mux.logLevel` of the file.

          -h, --help
                  Print help (see a summary with '-h')

        Examples:
          mcpmux call fs__read_file path=README.md
          mcpmux call gh__search_issues query='is:open label:bug' limit=5 labels='["a","b"]'
          mcpmux call gh__create_issue '{"title":"It broke","body":"Badly."}'
          mcpmux call weather__now city=Oslo --json | jq .structuredContent

        Exit codes: 0 the tool answered; 4 it answered with an error; 1 there was no answer.
        "#);
}

#[test]
fn every_help_fits_and_has_examples() {
    for command in command().get_subcommands() {
        let text = help(&[command.get_name()]);
        assert!(text.contains("\nExamples:\n"), "{text}");
        let wide: Vec<&str> = text
            .lines()
            .filter(|line| line.chars().count() > 100)
            .collect();
        assert_eq!(wide, [""; 0]);
    }
}

#[test]
fn common_options_may_stand_on_both_sides() {
    use clap::Parser;
    let line = "mcpmux --config a --log-level info list --config b --config c tools";
    let cli = super::args::Cli::try_parse_from(line.split(' ')).unwrap();
    let common = cli.common.followed_by(cli.command.common());
    let files: Vec<String> = common
        .config
        .iter()
        .map(|f| f.display().to_string())
        .collect();
    assert_eq!(files, ["a", "b", "c"]);
    assert_eq!(common.log_level.as_deref(), Some("info"));
}
