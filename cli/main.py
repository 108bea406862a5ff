"""The `vidro` command."""

import typer
from pydantic import ValidationError

from cli import demo, keys, processes, storage, up
from cli.supervision import REFUSED
from store.settings import settings

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
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


@app.callback()
def check_settings() -> None:
    """Model training in the open, over HTTP."""
    try:
        settings()
    except ValidationError as error:
        for entry in error.errors():
            reason = entry["msg"].removeprefix("Value error, ")
            typer.echo(f"VIDRO_{str(entry['loc'][0]).upper()}={entry['input']} is no setting: {reason}", err=True)
        raise typer.Exit(REFUSED) from None


if __name__ == "__main__":
    app()
