#!/usr/bin/env python3
"""Dockerfile and Kubernetes manifests, as far as neither engine is needed: what they name is there and agrees."""

import os
import re
import shlex
import unittest

import yaml

from dockerfile import ROOT, all_of, command_of, instructions
from options import options

KUBERNETES = ROOT / "packaging/kubernetes"


def objects_of(file: str) -> dict[str, dict]:
    """Its objects by their kinds."""
    return {each["kind"]: each for each in yaml.safe_load_all((KUBERNETES / file).read_text())}


class Dockerfile(unittest.TestCase):
    def test_what_is_copied_from_the_tree_is_there(self) -> None:
        for rest in all_of("COPY"):
            words = shlex.split(rest)
            if words[0].startswith("--from="):
                self.assertIn(words[0].removeprefix("--from="), " ".join(all_of("FROM")).split(" AS ")[1].split()[0])
                continue
            for path in words[:-1]:
                self.assertTrue((ROOT / path).exists(), path)

    def test_scripts_that_are_run_are_there(self) -> None:
        scripts = [script for rest in all_of("RUN") for script in re.findall(r"\bci/[a-z-]+", rest)]
        self.assertEqual(scripts, ["ci/install-deps", "ci/install-deps", "ci/package"])
        for script in scripts:
            self.assertTrue(os.access(ROOT / script, os.X_OK), script)

    def test_the_last_stage_is_small_and_has_no_root(self) -> None:
        names = [instruction for instruction, _ in instructions()]
        last = names[len(names) - names[::-1].index("FROM"):]
        self.assertEqual(all_of("FROM"), ["debian:12 AS build", "debian:12-slim"])
        self.assertLess(last.index("RUN"), last.index("USER"))
        self.assertRegex(all_of("USER")[0], r"^[1-9]\d*:[1-9]\d*$")

    def test_it_starts_the_daemon_without_a_shell(self) -> None:
        self.assertEqual(command_of("ENTRYPOINT"), ["lockd"])
        flags = [word for word in command_of("CMD") if word.startswith("--")]
        self.assertEqual(flags, ["--listen", "--http"])
        self.assertEqual(command_of("HEALTHCHECK"), ["lockctl", "ping"])

    def test_exposed_ports_are_those_that_it_listens_at(self) -> None:
        self.assertEqual(all_of("EXPOSE")[0].split(), re.findall(r":(\d+)\"", all_of("CMD")[0]))

    def test_the_flags_are_the_daemons(self) -> None:
        self.assertLessEqual({word for word in command_of("CMD") if word.startswith("--")},
                             {f"--{name}" for name in options()})


class Manifest(unittest.TestCase):
    def setUp(self) -> None:
        self.objects = objects_of("lockd.yaml")
        self.deployment, self.service = self.objects["Deployment"]["spec"], self.objects["Service"]["spec"]
        self.pod = self.deployment["template"]["spec"]
        self.container = self.pod["containers"][0]
        self.ports = {port["name"]: port["containerPort"] for port in self.container["ports"]}

    def test_kinds_and_versions(self) -> None:
        self.assertEqual({kind: each["apiVersion"] for kind, each in self.objects.items()},
                         {"Deployment": "apps/v1", "Service": "v1"})

    def test_never_two_at_a_time(self) -> None:
        self.assertEqual(self.deployment["replicas"], 1)
        self.assertEqual(self.deployment["strategy"], {"type": "Recreate"})

    def test_selectors_find_the_pod(self) -> None:
        labels = self.deployment["template"]["metadata"]["labels"]
        self.assertEqual(self.deployment["selector"]["matchLabels"], labels)
        self.assertEqual(self.service["selector"], labels)

    def test_ports_are_those_that_it_listens_at(self) -> None:
        listened = {flag: int(port) for flag, port in re.findall(r"--(\w+)=tcp://0\.0\.0\.0:(\d+)",
                                                                " ".join(self.container["args"]))}
        self.assertEqual(self.ports, {"locks": listened["listen"], "http": listened["http"]})
        for port in self.service["ports"]:
            self.assertIn(port["targetPort"], self.ports)
        annotations = self.deployment["template"]["metadata"]["annotations"]
        self.assertEqual(int(annotations["prometheus.io/port"]), self.ports["http"])

    def test_it_listens_as_the_image_does(self) -> None:
        words = command_of("CMD")
        self.assertEqual(self.container["args"], [f"{flag}={uri}" for flag, uri in zip(words[::2], words[1::2])])

    def test_probes(self) -> None:
        paths = {probe: self.container[probe]["httpGet"] for probe in ("livenessProbe", "readinessProbe")}
        self.assertEqual(paths, {"livenessProbe": {"path": "/healthz", "port": "http"},
                                 "readinessProbe": {"path": "/readyz", "port": "http"}})

    def test_it_may_do_as_little_as_can_be(self) -> None:
        user, group = (int(number) for number in all_of("USER")[0].split(":"))
        context = self.pod["securityContext"]
        self.assertEqual((context["runAsNonRoot"], context["runAsUser"], context["runAsGroup"]), (True, user, group))
        self.assertEqual(context["seccompProfile"], {"type": "RuntimeDefault"})
        self.assertEqual(self.container["securityContext"], {"allowPrivilegeEscalation": False,
                                                             "readOnlyRootFilesystem": True,
                                                             "capabilities": {"drop": ["ALL"]}})
        self.assertFalse(self.pod["automountServiceAccountToken"])

    def test_resources(self) -> None:
        resources = self.container["resources"]
        self.assertEqual(sorted(resources["requests"]), ["cpu", "memory"])
        self.assertEqual(list(resources["limits"]), ["memory"])

    def test_the_network_policy_is_for_its_pods_and_its_ports(self) -> None:
        policy = objects_of("network-policy.yaml")["NetworkPolicy"]
        self.assertEqual(policy["apiVersion"], "networking.k8s.io/v1")
        spec = policy["spec"]
        self.assertEqual(spec["podSelector"], self.deployment["selector"])
        self.assertEqual((spec["policyTypes"], spec["egress"]), (["Ingress", "Egress"], []))
        opened = [port["port"] for rule in spec["ingress"] for port in rule["ports"]]
        self.assertEqual(opened, list(self.ports))
        # An empty selector is everybody.
        for rule in spec["ingress"]:
            self.assertTrue(all(selector["matchLabels"] for peer in rule["from"] for selector in peer.values()))


if __name__ == "__main__":
    unittest.main()
