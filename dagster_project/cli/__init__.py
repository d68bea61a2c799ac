"""The command line: a thin door. Every module has the commands of one subject; each of them reads arguments,
calls one function and makes its outcome an exit code.

Does not belong here: any work. Only click is imported at the top of these modules, so that `cashless --help` stays
quick; everything else is imported by the command that needs it.

Exit codes: 0 published, or nothing new; 1 error; 2 wrong usage; 3 the quality gate refused the publication;
130 interrupted.
"""

from __future__ import annotations

import click

from dagster_project.cli import alert, contract, database, figures, files, publication, pull, quarantine, run
from dagster_project.cli.door import Door


@click.group(cls=Door, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """The cashless-payment warehouse: landing files to published KPIs.

    Settings come from CASHLESS_* variables; docs/operator.md has the table.
    """


for command in (
    run.run,
    run.demo,
    run.sample,
    run.status,
    figures.close,
    figures.explain,
    figures.list_,
    publication.hold,
    publication.release,
    publication.publish,
    files.unload,
    files.reload,
    pull.pull,
    quarantine.quarantine,
    alert.alert,
    contract.contract,
    database.db,
):
    main.add_command(command)
