"""Prometheus metrics of one server process, in a registry of their own.

Knows names and labels. What the database holds is read when somebody scrapes.
"""

from collections.abc import Callable, Iterable, Mapping

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

SECONDS_BUCKETS = (0.005, 0.02, 0.1, 0.5, 1, 2, 5, 10, 30, 60, 180)


class Metrics:
    """Counts requests and answers; `render` adds the gauges read from the database."""

    def __init__(self, gauges: "GaugeReader") -> None:
        self._registry = CollectorRegistry()
        labels = ("method", "route")
        self._requests = Counter(
            "kb_requests", "Requests answered", (*labels, "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "kb_request_seconds",
            "Seconds from the request to the end of its response",
            labels,
            buckets=SECONDS_BUCKETS,
            registry=self._registry,
        )
        self._answers = Counter(
            "kb_answers", "Answers given, by status", ("status",), registry=self._registry
        )
        self._registry.register(GaugeCollector(gauges))

    def observe_request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(method, route).observe(seconds)

    def observe_answer(self, status: str) -> None:
        """Count one answer."""
        self._answers.labels(status).inc()

    def render(self) -> bytes:
        """Return the Prometheus text format. Blocks while the gauges are read."""
        return generate_latest(self._registry)


GaugeReader = Callable[[], Mapping[str, Mapping[str, int]]]
"""Returns label value -> number by metric name (a key of GAUGES)."""

GAUGES: Mapping[str, tuple[str, str]] = {
    "kb_jobs": ("Ingest jobs, by status", "status"),
    "kb_chunks": ("Searchable chunks, by whether their vector is made", "vector"),
    "kb_ingest_pages": ("Pages of the searchable revisions, by kind", "kind"),
    "kb_paused": ("Queues that stand still: of the whole service, and of bases", "scope"),
}


class GaugeCollector(Collector):
    """Turns what a GaugeReader returns into Prometheus gauges at scrape time."""

    def __init__(self, read: GaugeReader) -> None:
        self._read = read

    def describe(self) -> Iterable[Metric]:
        """Name the gauges without reading them (registering must not touch the database)."""
        return [GaugeMetricFamily(name, text, labels=[label]) for name, (text, label) in _gauges()]

    def collect(self) -> Iterable[Metric]:
        """Read and yield the gauges."""
        for name, values in self._read().items():
            text, label = GAUGES[name]
            family = GaugeMetricFamily(name, text, labels=[label])
            for value, number in values.items():
                family.add_metric([value], number)
            yield family


def _gauges() -> Iterable[tuple[str, tuple[str, str]]]:
    return GAUGES.items()
