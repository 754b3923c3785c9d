"""What lies in packaging/ for Prometheus and Grafana: it can be read, and asks only for metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from daemon import LOOPBACK, DaemonTestCase
from scrape import Scrape

PACKAGING = Path(__file__).resolve().parents[2] / "packaging"
DASHBOARD = PACKAGING / "grafana" / "lockd.json"
RULES = PACKAGING / "prometheus" / "lockd.rules.yml"
RULES_TEST = PACKAGING / "prometheus" / "lockd.rules.test.yml"
METRICS_PAGE = PACKAGING.parent / "docs" / "metrics.md"
METRIC = re.compile(r"\b(?:lockd|process)_[a-z_]+\b")
KINDS = {"stat", "timeseries", "heatmap"}
WIDTH = 24  # of Grafana's grid


def alerts_in(path: Path) -> list[str]:
    return re.findall(r"^ +- alert: (\S+)$", path.read_text(), re.MULTILINE)


class PackagingTestCase(DaemonTestCase):
    def check_metrics_exist(self, text: str) -> None:
        scrape = Scrape(self.daemon("--http", LOOPBACK, listeners=2))
        asked = set(METRIC.findall(text))
        self.assertGreater(len(asked), 3)
        self.assertEqual(asked - scrape.names(), set())


class Rules(PackagingTestCase):
    def test_each_alert_has_a_case_in_which_it_fires_and_one_in_which_it_does_not(self) -> None:
        text = RULES_TEST.read_text()
        for alert in alerts_in(RULES):
            fires = re.findall(rf"alertname: {alert}\n +eval_time: \S+\n +exp_alerts:( \[\])?$", text, re.MULTILINE)
            self.assertEqual(set(fires), {"", " []"}, f"cases in which {alert} fires, and in which it does not")

    def test_the_metrics_exist(self) -> None:
        expressions = re.findall(r"^ +expr: (.*)$", RULES.read_text(), re.MULTILINE)
        self.assertEqual(len(expressions), len(alerts_in(RULES)))
        self.check_metrics_exist("\n".join(expressions))

    def test_the_docs_list_them(self) -> None:
        listed = re.findall(r"^\| `(Lockd[A-Za-z]+)` \|", METRICS_PAGE.read_text(), re.MULTILINE)
        self.assertEqual(listed, alerts_in(RULES))


class DashboardTestCase(PackagingTestCase):
    def setUp(self) -> None:
        self.dashboard: dict[str, Any] = json.loads(DASHBOARD.read_text())
        self.panels: list[dict[str, Any]] = self.dashboard["panels"]

    def expressions(self) -> Iterator[str]:
        yield from (annotation["expr"] for annotation in self.dashboard["annotations"]["list"] if "expr" in annotation)
        for panel in self.panels:
            yield from (target["expr"] for target in panel["targets"])


class Dashboard(DashboardTestCase):
    def test_the_metrics_exist(self) -> None:
        queries = [variable["query"]["query"] for variable in self.dashboard["templating"]["list"]
                   if variable["type"] == "query"]
        self.check_metrics_exist("\n".join([*self.expressions(), *queries]))

    def test_every_metric_of_locks_is_shown(self) -> None:
        names = (name for expression in self.expressions() for name in METRIC.findall(expression))
        shown = {name.removesuffix("_bucket") for name in names}
        scrape = Scrape(self.daemon("--http", LOOPBACK, listeners=2))
        self.assertEqual({name for name in scrape.types if name.startswith("lockd_")} - shown, set())

    def test_every_expression_is_bound_to_the_chosen_instances(self) -> None:
        for expression in self.expressions():
            selected = expression.count('{job=~"$job", instance=~"$instance"')
            asked = len(METRIC.findall(expression)) + expression.count("up{")
            self.assertEqual(selected, asked, expression)

    def test_it_is_what_grafana_imports(self) -> None:
        """A dashboard without a number of its own, of a schema that Grafana 9 reads, that asks for its source."""
        self.assertEqual((self.dashboard["id"], self.dashboard["uid"], self.dashboard["title"]),
                         (None, "lockd", "lockd"))
        self.assertGreaterEqual(self.dashboard["schemaVersion"], 36)
        source = self.dashboard["templating"]["list"][0]
        self.assertEqual((source["name"], source["type"], source["query"]), ("datasource", "datasource", "prometheus"))
        used = set(re.findall(r"\$\{?([a-z]+)\b", json.dumps(self.dashboard)))
        self.assertEqual(used, {variable["name"] for variable in self.dashboard["templating"]["list"]})

    def test_all_means_all_of_lockd(self) -> None:
        """Grafana lists the values then; a pattern of our own would take in every target of the Prometheus."""
        chosen = [each for each in self.dashboard["templating"]["list"] if each["type"] == "query"]
        self.assertEqual([each["name"] for each in chosen], ["job", "instance"])
        for variable in chosen:
            self.assertNotIn("allValue", variable)
            self.assertIn("label_values(lockd_build_info", variable["definition"])

    def test_panels_are_whole_and_do_not_overlap(self) -> None:
        self.assertEqual(len({panel["id"] for panel in self.panels}), len(self.panels))
        taken: dict[tuple[int, int], str] = {}
        for panel in self.panels:
            self.assertIn(panel["type"], KINDS)
            self.assertTrue(panel["title"] and panel["description"] and panel["targets"])
            self.assertTrue(panel["fieldConfig"]["defaults"]["unit"], panel["title"])
            self.assertEqual(len({target["refId"] for target in panel["targets"]}), len(panel["targets"]))
            for source in (panel, *panel["targets"]):
                self.assertEqual(source["datasource"], {"type": "prometheus", "uid": "${datasource}"})
            at = panel["gridPos"]
            self.assertLessEqual(at["x"] + at["w"], WIDTH)
            for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"]) for y in range(at["y"], at["y"] + at["h"])):
                self.assertNotIn(cell, taken, f"{panel['title']} lies on {taken.get(cell)}")
                taken[cell] = panel["title"]


class Promtool(DashboardTestCase):
    """By itself, as it alone is left out where there is none."""

    def promtool(self, *arguments: str) -> str:
        if shutil.which("promtool") is None:
            self.skipTest("no promtool here (Debian's package prometheus)")
        finished = subprocess.run(["promtool", *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(finished.returncode, 0, f"{arguments}: {finished.stdout}{finished.stderr}")
        return finished.stdout

    def test_it_reads_the_rules(self) -> None:
        self.assertIn(f"SUCCESS: {len(alerts_in(RULES))} rules found", self.promtool("check", "rules", str(RULES)))

    def test_the_rules_do_in_each_case_as_it_says(self) -> None:
        self.assertIn("SUCCESS", self.promtool("test", "rules", str(RULES_TEST)))

    def test_it_reads_the_configuration_that_the_docs_show(self) -> None:
        section = METRICS_PAGE.read_text().split("## Scraping\n")[1]
        shown = re.match(r"\n((?: {4}.*\n)+)", section)
        assert shown is not None
        path = self.temporary_directory() / "prometheus.yml"
        path.write_text(textwrap.dedent(shown[1]))
        self.assertIn("SUCCESS", self.promtool("check", "config", str(path)))

    def test_it_reads_the_dashboards_expressions(self) -> None:
        """As recording rules, with Grafana's variables filled in as Grafana does."""
        rules = {"groups": [{"name": "dashboard", "rules": [
            {"record": f"dashboard:{number}", "expr": expression}
            for number, expression in enumerate(self.filled_in(text) for text in self.expressions())
        ]}]}
        path = self.temporary_directory() / "rules.json"
        path.write_text(json.dumps(rules))
        self.assertIn("SUCCESS", self.promtool("check", "rules", str(path)))

    def filled_in(self, expression: str) -> str:
        for variable, value in ("$__rate_interval", "1m"), ("$job", ".*"), ("$instance", ".*"):
            expression = expression.replace(variable, value)
        self.assertNotIn("$", expression)
        return expression
