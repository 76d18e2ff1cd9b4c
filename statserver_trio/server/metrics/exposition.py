"""Exposition: from the facts to the text that Prometheus reads.

Nothing in here touches the server: it is given plain data and may run in a thread. A
collector that lives for one scrape is all that the library is used for; its global
registry, and its metrics that count by themselves, are not.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from math import inf

from attrs import frozen
from prometheus_client import ProcessCollector
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import HistogramMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.registry import Collector

from .names import METRICS, PREFIX, Facts, Metric, Sample

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
NAMES_ITSELF = "_total"  # of a counter; the library adds it to the name of the family

_process = ProcessCollector(namespace=PREFIX.rstrip("_"), registry=None)


@frozen
class ExportedValue:
    """A statistic as it is exported.

    Attributes:
        value: NaN where it is no number.
    """

    labels: dict[str, str]
    value: float
    complete: bool
    valid: bool


@frozen
class Scrape(Collector):
    """Everything that is told at one moment.

    Attributes:
        lag, lag_total: The histogram of :mod:`.loop_lag`.
    """

    facts: Facts
    exported: Sequence[ExportedValue] = ()
    lag: Sequence[tuple[float, int]] = ()
    lag_total: float = 0.0

    def text(self) -> bytes:
        """As Prometheus reads it."""
        return generate_latest(self)

    def collect(self) -> Iterator[Family]:
        """Families of samples, as the library wants them."""
        told = self.exported
        values = {
            "statistic": ((each.labels, each.value) for each in told),
            "statistic_complete": ((each.labels, float(each.complete)) for each in told),
            "statistic_valid": ((each.labels, float(each.valid)) for each in told),
        }
        for metric in METRICS.values():
            if metric.kind == "histogram":
                yield self._histogram(metric)
                continue
            family = _family(metric, values.get(metric.name) or metric.read(self.facts))
            if family.samples:
                yield family
        for family in _process.collect():
            samples = [(each.labels, each.value) for each in family.samples]
            for name in (family.name, family.name + NAMES_ITSELF):
                if name in METRICS:
                    yield _family(METRICS[name], samples)

    def _histogram(self, metric: Metric) -> Family:
        buckets = [("+Inf" if bound == inf else str(bound), n) for bound, n in self.lag]
        return HistogramMetricFamily(
            metric.full_name, metric.help, buckets=buckets, sum_value=self.lag_total
        )


def _family(metric: Metric, samples: Iterable[Sample]) -> Family:
    name = metric.full_name
    family = Family(name.removesuffix(NAMES_ITSELF), metric.help, metric.kind)
    for labels, value in samples:
        family.add_sample(name, labels, value)
    return family
