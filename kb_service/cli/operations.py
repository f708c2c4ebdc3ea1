"""`kb reindex, verify, doctor`: keeping a service healthy from the command line.

Prints what the application finds and sets the exit code; finds nothing itself.
"""

import typer

from kb_service.cli.session import (
    Exit,
    JsonOption,
    KbOption,
    load_settings,
    print_json,
    reported_errors,
    say,
    session,
)


def reindex(kb: KbOption, as_json: JsonOption = False) -> None:
    """Rebuild the indexes of a base; texts without a vector of the present model are embedded."""
    with session(as_json=as_json) as application:
        base = application.catalog.get_kb(kb)
        num_embedded = application.reindex(base.id)
        if as_json:
            print_json({"kb_id": base.id, "num_embedded": num_embedded})
        else:
            say(f"reindexed {base.name}: {num_embedded} texts embedded")


def verify(as_json: JsonOption = False) -> None:
    """Check every invariant of storage and indexes and print the counts."""
    with session(as_json=as_json) as application:
        report = application.verify()
        if as_json:
            print_json(report)
        else:
            for name, value in report.items():
                flaws = value if isinstance(value, list | tuple) else None
                say(f"{name:20} {value if flaws is None else len(flaws)}")
                for flaw in flaws or ():
                    say(f"  {flaw}")
        if not report["is_clean"]:
            raise typer.Exit(Exit.FAILED)


def doctor(as_json: JsonOption = False) -> None:
    """Print the settings in force and what is wrong with them."""
    from kb_service.services.diagnosis import diagnose

    with reported_errors(as_json=as_json):
        from kb_service.bootstrap import open_application
        from kb_service.cli.logs import configure_logs

        settings = load_settings()
        configure_logs("CRITICAL")  # the findings say what would be logged
        application = open_application(settings)
        findings = diagnose(settings, application.checks())
        application.close()
        if as_json:
            print_json([finding.as_dict() for finding in findings])
        else:
            for finding in findings:
                say(f"{'ok ' if finding.is_ok else 'BAD'} {finding.name}: {finding.text}")
        if not all(finding.is_ok for finding in findings):
            raise typer.Exit(Exit.FAILED)
