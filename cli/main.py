"""The `vidro` command."""

import typer

from cli import demo, keys, processes, storage, up

app = typer.Typer(help="Vidro: model training in the open, over HTTP.", no_args_is_help=True, pretty_exceptions_enable=False)
app.command()(up.up)
app.command()(processes.serve)
app.command()(processes.worker)
app.command()(processes.migrate)
app.command()(processes.warm_up)
app.command()(storage.backup)
app.command()(storage.restore)
app.command()(storage.vacuum)
app.command()(demo.demo)
app.add_typer(keys.app, name="keys")

if __name__ == "__main__":
    app()
