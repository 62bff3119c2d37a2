//! Folds samples of metrics into histograms; without it they would pile up until the metrics are read.

use std::time::Duration;

use metrics_exporter_prometheus::PrometheusHandle;

const EVERY: Duration = Duration::from_secs(1);

pub(super) async fn fold(metrics: PrometheusHandle) {
    loop {
        tokio::time::sleep(EVERY).await;
        metrics.run_upkeep();
    }
}
