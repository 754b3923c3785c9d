#!/usr/bin/env python3
"""The Debian packages in a small system that runs systemd: installed, served, watched, activated, removed, purged.

    ci/package && packaging/test/installed.py [TEST...]        # as root; the first time some minutes, for debootstrap
"""

import os
import re
import tempfile
import textwrap
import unittest
from pathlib import Path

import test_root
from test_root import System, eventually

CONSUMER = test_root.ROOT / "client/e2e/consumer"
PING = r"printf 'ping\nquit\n' | "
BY_TCP = PING + "nc 127.0.0.1 9999"
BY_UNIX = PING + "nc -U /run/lockd/lockd.sock"
FETCH_TOKEN = r"printf 'g key\nt key\nquit\n' | nc 127.0.0.1 9999"
# What dpkg, apt, systemd and the C library write about whatever is installed.
NOTES = re.compile(r"^/(var/(log|cache|lib/(dpkg|apt|systemd))|root|run|tmp|proc|sys|dev"
                   r"|etc/((passwd|group|g?shadow|subuid|subgid)-?|ld\.so\.cache|\.pwd\.lock))(/|$)")
UNREACHABLE, LOST = 69, 70
STARTS_IN_A_ROW = 5  # after so many systemd gives up, unless told not to


# The same package as a later version, with a configuration of its own: ./later.deb.
REPACK = (r"dpkg-deb --raw-extract lockd_*.deb later && sed -i 's/^Version: .*/&+later/' later/DEBIAN/control && "
          "echo '# of the later version' >>later/etc/lockd/lockd.conf && dpkg-deb --build later later.deb")


def shown_in_manual(beginning: str, page: str = "docs/installing.md") -> str:
    """The lines of that page that are indented as code, from the one that begins so."""
    text = (test_root.ROOT / page).read_text()
    return textwrap.dedent(re.search(rf"^( {{4,}}){re.escape(beginning)}.*\n(?:\1.*\n)*", text, re.MULTILINE)[0])


@unittest.skipIf(test_root.can_boot(), test_root.can_boot())
class SystemTestCase(unittest.TestCase):
    FILES: list[Path] = []  # to be had inside, beside the packages

    def setUp(self) -> None:
        self.system = System(*self.FILES)
        self.addCleanup(self.system.stop)
        self.run_in = self.system.run

    def check_serves(self) -> None:
        self.assertEqual(self.run_in(BY_TCP), "1 pong\n", self.log())

    def wait_until_served(self) -> None:
        eventually(lambda: self.system.ask(BY_TCP).stdout == "1 pong\n", 60, "another one serves")

    def log(self) -> str:
        return self.run_in("journalctl --no-pager --quiet --unit lockd")

    def shown(self, name: str, unit: str = "lockd.service") -> str:
        return self.run_in(f"systemctl show --value --property {name} {unit}").strip()


class Installed(SystemTestCase):
    FILES = [CONSUMER]

    def install(self) -> None:
        self.run_in("apt-get install --yes ./lockd_*.deb")
        self.check_serves()

    def files(self) -> set[str]:
        found = self.run_in("find / -xdev").splitlines()
        return {path for path in found if not NOTES.match(path)}

    def test_it_is_started_as_its_own_user(self) -> None:
        self.install()
        self.assertEqual(self.shown("ActiveState"), "active")
        self.assertRegex(self.shown("StatusText"), r"^Serving at 2 addresses, \d+ connections at most$")
        self.assertEqual(self.run_in("ps -o user= -C lockd").strip(), "lockd")
        self.assertEqual(self.run_in(BY_UNIX), "1 pong\n")
        self.assertEqual(self.run_in("stat -c '%a %U %G' /run/lockd/lockd.sock"), "660 lockd lockd\n")
        self.assertEqual(self.log().count("listening on tcp://127.0.0.1:9999"), 1)
        self.assertEqual(self.run_in("systemctl is-enabled lockd.service"), "enabled\n")
        self.assertEqual(self.system.ask("systemctl is-enabled lockd.socket").stdout, "disabled\n")

    def test_both_packages_install_whole(self) -> None:
        self.run_in("apt-get install --yes ./*.deb")
        self.check_serves()
        self.assertEqual(self.run_in("dpkg --verify"), "")
        self.assertEqual(self.run_in("dpkg --audit"), "")

    def test_a_program_builds_with_the_library_and_takes_a_lock(self) -> None:
        self.run_in("apt-get install --yes ./*.deb")
        self.run_in("cmake -S consumer -B built && cmake --build built")
        self.assertEqual(self.run_in("built/consumer tcp://127.0.0.1:9999"), "held\n")

    def test_its_examples_build_by_one_command(self) -> None:
        self.run_in("apt-get install --yes ./*.deb")
        self.run_in("g++ -std=c++20 /usr/share/doc/liblockd-dev/examples/nightly.cc -o nightly -llockd-client")
        self.assertEqual(self.run_in("./nightly tcp://127.0.0.1:9999").count("written with token"), 3)

    def test_the_manual_is_shown_without_a_warning(self) -> None:
        self.install()
        for page in "lockd.8", "lockd-protocol.7", "lockctl.1":
            shown = self.system.ask(f"MANWIDTH=100 man --warnings {page} | col -b")
            self.assertEqual(shown.stderr, "")
            self.assertRegex(shown.stdout, rf"(?i)^{page[:-2]}\({page[-1]}\)")

    def test_shells_complete_lockctl(self) -> None:
        self.install()
        said = self.run_in("bash -c '. /usr/share/bash-completion/bash_completion; _completion_loader lockctl; "
                           "complete -p lockctl'")
        self.assertRegex(said, r"^complete .*lockctl\n$")
        self.assertEqual(self.run_in("zsh -fc 'autoload -Uz compinit; compinit -u; print $_comps[lockctl]'"),
                         "_lockctl\n")

    def test_lockctl_runs_a_command_under_a_lock(self) -> None:
        self.install()
        self.assertEqual(self.run_in("lockctl ping"), "pong\n")
        self.assertEqual(self.run_in("lockctl run key -- sh -c 'echo $LOCKD_KEY'"), "key\n")

    def test_tokens_grow_across_restarts(self) -> None:
        self.install()
        first = self.token()
        mark = int(re.search(r"\d+", self.run_in("cat /var/lib/lockd/tokens"))[0])
        self.assertGreater(mark, first)
        self.run_in(f"kill -KILL {self.shown('MainPID')}")
        self.wait_until_served()
        self.assertGreaterEqual(self.token(), mark)

    def token(self) -> int:
        return int(self.run_in(FETCH_TOKEN).splitlines()[1].split()[0])

    def test_a_daemon_that_stands_still_is_restarted(self) -> None:
        soon = r"[Service]\nWatchdogSec=1s\nTimeoutAbortSec=1s\n"
        folder = "/etc/systemd/system/lockd.service.d"
        self.run_in(f"mkdir -p {folder} && printf '{soon}' >{folder}/soon.conf")
        self.install()
        before = self.shown("MainPID")
        self.run_in(f"kill -STOP {before}")
        eventually(lambda: self.shown("NRestarts") == "1", 60, "it is restarted")
        self.wait_until_served()
        self.assertNotEqual(self.shown("MainPID"), before)

    def test_a_daemon_that_crashes_is_restarted(self) -> None:
        self.install()
        self.run_in(f"kill -KILL {self.shown('MainPID')}")
        self.wait_until_served()

    def test_a_daemon_that_finds_its_address_taken_serves_once_it_is_free(self) -> None:
        """However long that takes: an older lockd, or an address that its interface does not have yet."""
        self.run_in("systemd-run --quiet --unit other nc -lk 127.0.0.1 9999")
        self.run_in("apt-get install --yes ./lockd_*.deb")
        eventually(lambda: int(self.shown("NRestarts")) > STARTS_IN_A_ROW, 60, "it was started again and again")
        self.run_in("systemctl stop other")
        self.wait_until_served()

    def test_it_takes_the_place_of_an_older_server(self) -> None:
        """As docs/switching.md has it."""
        page = "docs/switching.md"
        self.run_in("systemd-run --quiet --unit older nc -lk 0.0.0.0 9999")
        self.run_in(shown_in_manual("apt-get install", page))
        self.assertEqual(self.shown("ActiveState"), "inactive")
        listen = shown_in_manual("listen =", page).strip()
        self.run_in(f"sed -i 's|^listen = .*|{listen}|' /etc/lockd/lockd.conf")
        self.run_in("systemctl stop older")
        self.run_in(shown_in_manual("systemctl enable", page))
        self.check_serves()
        self.assertIn("listening on tcp://0.0.0.0:9999", self.log())

    def test_a_socket_that_is_bound_before_the_daemon(self) -> None:
        self.install()
        self.run_in("systemctl stop lockd.service && systemctl start lockd.socket")
        self.assertEqual(self.shown("ActiveState"), "inactive")
        self.check_serves()
        self.assertEqual(self.shown("ActiveState"), "active")
        self.assertRegex(self.shown("StatusText"), "^Serving at 2 addresses,")
        self.run_in("systemctl restart lockd.service")
        self.check_serves()
        self.run_in("systemctl stop lockd.service")  # the socket's path is systemd's, and stays
        self.assertEqual(self.run_in(BY_UNIX), "1 pong\n", self.log())

    def test_a_mistake_in_the_configuration_is_one_line_in_the_journal(self) -> None:
        self.install()
        self.run_in("echo 'max-locks = none' >>/etc/lockd/lockd.conf")
        line = self.run_in("wc --lines </etc/lockd/lockd.conf").strip()
        self.assertNotEqual(self.system.ask("systemctl restart lockd").returncode, 0)
        eventually(lambda: self.shown("ActiveState") == "failed", 20, "systemd has given up")
        mistake = f"lockd: /etc/lockd/lockd.conf:{line}: max-locks: none: expected a whole number"
        self.assertEqual(self.log().count(mistake), 1, self.log())
        errors = self.run_in("journalctl --no-pager --quiet --unit lockd --identifier lockd --priority err")
        self.assertEqual(errors.count("\n"), 1, errors)
        self.assertIn(f"]: {mistake}", errors)
        self.assertNotIn("serves", self.run_in("journalctl --no-pager --quiet --unit lockd --priority warning"))

    def test_an_upgrade_keeps_what_the_administrator_wrote(self) -> None:
        self.install()
        self.run_in("echo 'max-locks = 7' >>/etc/lockd/lockd.conf")
        before = self.shown("MainPID")
        self.run_in("apt-get install --yes --reinstall ./lockd_*.deb")
        self.assertIn("max-locks = 7", self.run_in("cat /etc/lockd/lockd.conf"))
        self.assertNotEqual(self.shown("MainPID"), before)
        self.check_serves()

    def test_a_later_configuration_takes_the_place_of_one_that_nobody_has_changed(self) -> None:
        self.install()
        self.run_in(f"{REPACK} && apt-get install --yes ./later.deb")
        self.assertIn("# of the later version", self.run_in("cat /etc/lockd/lockd.conf"))
        self.check_serves()

    def test_a_later_configuration_lies_beside_one_that_was_changed(self) -> None:
        self.install()
        self.run_in("echo 'max-locks = 7' >>/etc/lockd/lockd.conf")
        self.run_in(REPACK)
        self.run_in(shown_in_manual("apt-get -o").replace("lockd_*", "later"))
        self.assertIn("max-locks = 7", self.run_in("cat /etc/lockd/lockd.conf"))
        self.assertIn("# of the later version", self.run_in("cat /etc/lockd/lockd.conf.dpkg-dist"))
        self.check_serves()

    def test_an_upgrade_leaves_the_sockets_bound_where_they_are_enabled(self) -> None:
        self.install()
        self.run_in("systemctl stop lockd && systemctl enable --now lockd.socket")
        self.check_serves()
        before = self.shown("ActiveEnterTimestampMonotonic", "lockd.socket")
        self.run_in("apt-get install --yes --reinstall ./lockd_*.deb")
        self.assertEqual(self.shown("ActiveEnterTimestampMonotonic", "lockd.socket"), before)
        self.assertEqual(self.run_in("systemctl is-enabled lockd.socket"), "enabled\n")
        self.check_serves()

    def test_an_upgrade_ends_locks_and_their_holders_learn_of_it(self) -> None:
        self.install()
        for number, state in enumerate(("held", "waiting")):
            self.run_in(f"{{ lockctl run key -- sleep 1000; echo $? >{state}; }} </dev/null >/dev/null 2>&1 &")
            eventually(lambda: self.run_in("lockctl list key").count("\n") == number + 1, 20, state)
        self.run_in("apt-get install --yes --reinstall ./lockd_*.deb")
        eventually(lambda: self.system.ask("cat held waiting").stdout == f"{LOST}\n{UNREACHABLE}\n", 20,
                   "both have learnt of it")
        self.run_in("lockctl run -n key -- true")

    def test_an_upgrade_leaves_the_daemon_alone_where_the_administrator_says_so(self) -> None:
        self.install()
        before = self.shown("MainPID")
        self.run_in("echo 'APT::Get { Assume-Yes 1; ReInstall 1; };' >/etc/apt/apt.conf.d/90again")
        self.run_in(shown_in_manual("printf"))
        self.assertEqual(self.shown("MainPID"), before)
        self.check_serves()

    def test_needrestart_leaves_the_daemon_alone_where_the_administrator_says_so(self) -> None:
        self.install()
        for line, is_left_alone in (("", False), (shown_in_manual("$nrconf"), True)):
            self.run_in(f"cat >/etc/needrestart/conf.d/lockd.conf <<'END'\n{line}END\n")
            before = self.shown("MainPID")
            self.run_in("f=$(readlink -f /lib/*/libstdc++.so.6) && cp $f again && mv again $f && needrestart -r a")
            self.assertEqual(self.shown("MainPID") == before, is_left_alone)

    def test_other_machines_reach_it_where_the_administrator_says_so(self) -> None:
        self.install()
        listen = shown_in_manual("listen =").strip().replace("192.0.2.7", "127.0.0.2")
        self.run_in(f"sed -i 's|^listen = .*|{listen}|' /etc/lockd/lockd.conf && systemctl restart lockd")
        self.check_serves()
        self.assertEqual(self.run_in("lockctl --server tcp://127.0.0.2:9999 ping"), "pong\n")

    def test_a_machine_that_only_runs_lockctl_has_no_daemon(self) -> None:
        """Not after an upgrade either."""
        self.install()
        self.run_in(shown_in_manual("systemctl disable").splitlines()[0])
        for _ in range(2):
            self.assertEqual(self.shown("ActiveState"), "inactive")
            self.assertEqual(self.system.ask("lockctl ping").returncode, UNREACHABLE)
            self.run_in("apt-get install --yes --reinstall ./lockd_*.deb")

    def test_what_the_service_may_is_for_the_administrator_to_change(self) -> None:
        self.install()
        self.run_in("""sed -i 's|^state-dir = .*|state-dir = "/srv/lockd"|' /etc/lockd/lockd.conf""")
        self.assertNotEqual(self.system.ask("systemctl restart lockd").returncode, 0)
        self.assertIn("/srv/lockd", self.log())
        self.run_in(shown_in_manual("install -d").replace("200000", "1064"))
        self.assertEqual(self.shown("StatusText"), "Serving at 2 addresses, 1000 connections at most")
        self.run_in("test -f /srv/lockd/tokens")

    def test_munin_draws_it(self) -> None:
        """By the plugin of the package, as docs/metrics.md has it linked."""
        self.install()
        self.run_in(shown_in_manual("apt-get install --yes munin", "docs/metrics.md"))
        listed = self.run_in(r"printf 'list\nquit\n' | nc 127.0.0.1 4949")
        self.assertLess(set(self.run_in("/usr/share/munin/plugins/lockd_ suggest").split()),
                        set(listed.replace("lockd_", "").split()))
        self.assertEqual(self.fetched_by_munin(), "connections.value 1\n")
        settings = shown_in_manual("[lockd_*]", "docs/metrics.md")
        self.run_in(f"cat >/etc/munin/plugin-conf.d/lockd <<'END'\n{settings}END\nsystemctl restart munin-node")
        self.run_in("sed -i 's|\"tcp://127.0.0.1:9999\", ||' /etc/lockd/lockd.conf && systemctl restart lockd")
        self.assertEqual(self.fetched_by_munin(), "connections.value 1\n")
        self.run_in("systemctl stop lockd")
        self.assertEqual(self.fetched_by_munin(), "connections.value U\n")

    def fetched_by_munin(self) -> str:
        said = self.run_in(r"printf 'fetch lockd_connections\nquit\n' | nc 127.0.0.1 4949")
        return "".join(re.findall(r"^connections.*\n", said, re.MULTILINE))

    def test_removed_it_can_be_installed_again(self) -> None:
        self.install()
        self.run_in("echo 'max-locks = 7' >>/etc/lockd/lockd.conf")
        self.run_in("apt-get remove --yes lockd")
        self.install()
        self.assertEqual(self.run_in("systemctl is-enabled lockd.service"), "enabled\n")
        self.assertIn("max-locks = 7", self.run_in("cat /etc/lockd/lockd.conf"))

    def test_removed_it_keeps_its_configuration_and_purged_it_leaves_nothing(self) -> None:
        before = self.files()
        self.install()
        self.assertGreater(len(self.files() - before), 10)
        self.run_in("apt-get remove --yes lockd")
        self.assertEqual(self.shown("ActiveState"), "inactive")
        self.assertEqual(self.system.ask("pgrep lockd").stdout, "")
        self.run_in("test -f /etc/lockd/lockd.conf && test -d /var/lib/lockd")
        self.run_in("apt-get purge --yes lockd")
        self.assertEqual(self.files() - before, set())
        self.assertNotEqual(self.system.ask("getent passwd lockd || getent group lockd").returncode, 0)
        self.assertEqual(self.run_in("find /run -name '*lockd*'"), "")


class FromTheTree(SystemTestCase):
    """What `cmake --install` makes of the build that the packages are made of, with a prefix that is not theirs."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="lockd-installed-")
        self.addCleanup(folder.cleanup)
        tree = Path(folder.name) / "tree"
        test_root.run("cmake", "--install", test_root.PACKAGES, "--prefix", "/usr/local",
                      env=os.environ | {"DESTDIR": str(tree)})
        self.FILES = [tree]
        super().setUp()

    def test_it_is_a_service(self) -> None:
        self.run_in("cp --recursive tree/. /")
        self.run_in(shown_in_manual("adduser"))
        self.check_serves()
        self.assertEqual(self.run_in("ps -o user=,args= -C lockd").split(maxsplit=1),
                         ["lockd", "/usr/local/sbin/lockd --config /usr/local/etc/lockd/lockd.conf\n"])
        self.assertEqual(self.run_in("lockctl run key -- sh -c 'echo $LOCKD_KEY'"), "key\n")


if __name__ == "__main__":
    unittest.main(verbosity=2)
