"""Named jobs. Their selections are objects: with the ANTLR that DVC can bring, Dagster misreads selection strings."""

import dagster as dg

JOBS = {
    "symbols": (["active_symbols"], "Ask the venue what it trades now"),
    "ingest": (["ticks_raw"], "Download closed days of ticks and check them"),
    "quotes": (["payout_quotes"], "Collect the payouts that the runner was quoted"),
    "prepare": (["features", "labels"], "Inputs and outcomes of downloaded days"),
    "dataset": (["training_dataset"], "Snapshot the newest days for training"),
    "train": (
        ["model_checkpoint", "calibration"],
        "Fit the candidates, keep the simplest that nothing beats, calibrate",
    ),
    "package": (["serving_bundle"], "Export to ONNX, write the manifest, sign"),
    "evaluate": (["backtest_report"], "Backtest the bundle at quoted payouts"),
    "register": (["registered_model"], "Register the bundle; it enters shadow"),
    "retrain": (
        [
            "training_dataset",
            "model_checkpoint",
            "calibration",
            "serving_bundle",
            "backtest_report",
            "registered_model",
        ],
        "From downloaded days to a registered model in shadow",
    ),
    "shadow": (["live_journal", "shadow_report", "drift_report"], "Read the runner's journal and weigh the evidence"),
    "promote": (["live_journal", "shadow_report", "champion_release"], "Promote the shadow model if the gate opened"),
    "release": (["data_release"], "Record the newest data and model in DVC"),
}


def selection(name: str) -> dg.AssetSelection:
    """The job's assets; their checks come along."""
    return dg.AssetSelection.assets(*JOBS[name][0])


@dg.definitions
def jobs() -> dg.Definitions:
    return dg.Definitions(
        jobs=[
            dg.define_asset_job(name, selection(name), description=description)
            for name, (_, description) in JOBS.items()
        ]
    )
