"""Who may do what in the cluster, whose secrets are read, and who may call whom."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from support.chart import NAMESPACE, POOLS, SECRETS, VALUES, find, of_kind, pods, refusal, rendered

from visionlab_api.configuration import ApiConfiguration
from visionlab_api.services.public_addresses import is_public

SERVING = {
    ("serving.kserve.io", "inferenceservices"): {"get", "list", "watch", "create", "patch", "delete"},
    ("", "services"): {"create", "patch"},
    ("apps", "deployments"): {"get"},
    ("apps", "replicasets"): {"list"},
    ("", "pods"): {"list", "watch"},
    ("", "pods/log"): {"get"},
    ("", "events"): {"create"},
    ("", "configmaps"): {"get"},
}
"""What `visionlab_inference.releases.kserve` calls. Applying is a patch, which has to be allowed to create, too."""

TRAININGS = {
    ("batch", "jobs"): {"get", "list", "create", "patch", "delete"},
    ("", "pods"): {"list", "delete"},
    ("", "events"): {"list"},
    ("", "namespaces"): {"get"},
    ("", "configmaps"): {"get"},
}
"""What `visionlab_training.runners.kubernetes` calls."""


def rights(values: str) -> dict[tuple[str, str], set[str]]:
    found: dict[tuple[str, str], set[str]] = {}
    for rule in find(rendered(values), "Role", "lab-visionlab-controller")["rules"]:
        for group in rule["apiGroups"]:
            for resource in rule["resources"]:
                found.setdefault((group, resource), set()).update(rule["verbs"])
    return found


def both(*tables: dict[tuple[str, str], set[str]]) -> dict[tuple[str, str], set[str]]:
    return {what: set().union(*(table.get(what, set()) for table in tables)) for table in tables for what in table}


@pytest.mark.parametrize(("values", "wanted"), [("production", both(SERVING, TRAININGS)), ("embedded", {})])
def test_the_controller_may_do_what_it_does_and_nothing_else(values, wanted):
    assert rights(values) == wanted


@pytest.mark.parametrize(("kind", "name"), [("namespaces", NAMESPACE), ("configmaps", "lab-visionlab-templates")])
def test_of_these_it_may_see_one(kind, name):
    rules = find(rendered("production"), "Role", "lab-visionlab-controller")["rules"]
    [rule] = [each for each in rules if each["resources"] == [kind]]
    assert rule["resourceNames"] == [name]


@pytest.mark.parametrize("values", VALUES)
def test_nobody_else_has_rights_and_none_are_of_the_cluster(values):
    manifests = rendered(values)
    assert of_kind(manifests, "ClusterRole") == of_kind(manifests, "ClusterRoleBinding") == {}
    assert list(of_kind(manifests, "Role")) == ["lab-visionlab-controller"]
    [binding] = of_kind(manifests, "RoleBinding").values()
    account = {"kind": "ServiceAccount", "name": "lab-visionlab-controller", "namespace": NAMESPACE}
    assert binding["subjects"] == [account]
    assert {name for name, spec in pods(manifests).items() if spec.get("serviceAccountName") == account["name"]} == {
        "Deployment/lab-visionlab-controller"
    }


def test_no_rule_has_a_wildcard():
    rules = find(rendered("production"), "Role", "lab-visionlab-controller")["rules"]
    assert "*" not in str(rules)


def secrets_of(spec: dict) -> dict[str, tuple[str, str]]:
    return {
        each["name"]: (each["valueFrom"]["secretKeyRef"]["name"], each["valueFrom"]["secretKeyRef"]["key"])
        for container in spec["containers"]
        for each in container.get("env", [])
        if "valueFrom" in each
    }


STORE = {
    "VISIONLAB_S3_ACCESS_KEY": ("faces-s3", "AWS_ACCESS_KEY_ID"),
    "VISIONLAB_S3_SECRET_KEY": ("faces-s3", "AWS_SECRET_ACCESS_KEY"),
}
ALL = {
    **STORE,
    "VISIONLAB_DATABASE_URL": ("faces-database", "url"),
    "VISIONLAB_ADMIN_TOKEN": ("faces-accounts", "adminToken"),
    "VISIONLAB_OIDC_CLIENT_SECRET": ("faces-accounts", "oidcClientSecret"),
}


def test_existing_secrets_are_read_by_who_needs_them():
    for name, spec in pods(rendered("production")).items():
        if "-training-" in name:
            assert secrets_of(spec) == {name: ("faces-s3-trainings", key) for name, (_, key) in STORE.items()}, name
        elif name.endswith(("-api", "-controller", "-models")):
            assert secrets_of(spec) == ALL, name
        else:
            assert secrets_of(spec) == {}, name
    account = find(rendered("production"), "ServiceAccount", "lab-visionlab-serving")
    assert account["secrets"] == [{"name": "faces-s3"}]
    assert of_kind(rendered("production"), "Secret") == {}


def test_without_a_client_secret_there_is_none():
    [container] = pods(rendered("oidc"))["Deployment/lab-visionlab-api"]["containers"]
    [variable] = [each for each in container["env"] if each["name"] == "VISIONLAB_OIDC_CLIENT_SECRET"]
    assert variable["valueFrom"]["secretKeyRef"]["optional"] is True


def test_a_trial_makes_its_secrets_and_keeps_them():
    made = of_kind(rendered("trial"), "Secret")
    assert set(made) == {"lab-visionlab-trial", "lab-visionlab-trial-s3"}
    for each in made.values():
        assert each["metadata"]["annotations"]["helm.sh/resource-policy"] == "keep"
    trial = made["lab-visionlab-trial"]["stringData"]
    assert len(trial["adminToken"]) == 40
    assert trial["adminToken"] != trial["password"]
    assert f":{trial['password']}@" in trial["url"]
    s3 = made["lab-visionlab-trial-s3"]
    assert s3["metadata"]["annotations"]["serving.kserve.io/s3-endpoint"] == f"lab-visionlab-trial-s3.{NAMESPACE}:9000"
    assert s3["stringData"]["AWS_SECRET_ACCESS_KEY"] not in trial.values()


def test_a_trial_may_have_an_s3_of_the_operator():
    manifests = rendered("trial-own-s3")
    assert set(of_kind(manifests, "Secret")) == {"lab-visionlab-trial"}
    assert set(of_kind(manifests, "StatefulSet")) == {"lab-visionlab-trial-postgresql"}
    assert secrets_of(pods(manifests)["Deployment/lab-visionlab-api"]).items() >= STORE.items()
    [container] = pods(manifests)["Deployment/lab-visionlab-api"]["containers"]
    assert {"name": "VISIONLAB_S3_ENDPOINT", "value": "http://minio.minio:9000"} in container["env"]


@pytest.mark.parametrize("missing", SECRETS)
def test_a_secret_that_is_missing_is_named(missing):
    others = [each for each in SECRETS if each != missing]
    assert f"{missing.partition('=')[0]}: name a Secret with the key" in refusal(None, *others)


def test_only_gateways_and_monitoring_come_in_from_outside():
    policies = of_kind(rendered("network-policy"), "NetworkPolicy")
    inside = {"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "lab"}}}
    trusted = {"namespaceSelector": {"matchLabels": {"network": "trusted"}}}
    for part, port in (("api", 8000), ("ui", 8080), ("controller", 8001)):
        assert policies[f"lab-visionlab-{part}"]["spec"]["ingress"] == [{"ports": [{"port": port}], "from": [inside, trusted]}]
    assert policies["lab-visionlab-serving"]["spec"]["ingress"] == [
        {"ports": [{"port": 8080}, {"port": 9000}], "from": [inside]},
        {"ports": [{"port": 8002}], "from": [inside, trusted]},
    ]
    assert "ingress" not in policies["lab-visionlab-training"]["spec"]


def test_models_are_called_by_the_facade_alone_even_where_the_rest_is_open():
    calls, metrics = find(rendered("production"), "NetworkPolicy", "lab-visionlab-serving")["spec"]["ingress"]
    assert calls["from"] == [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": "lab"}}}]
    assert "from" not in metrics


def web_of(values: str) -> list[dict]:
    """Where the facade's policy lets it go."""
    return find(rendered(values), "NetworkPolicy", "lab-visionlab-api")["spec"].get("egress", [])


def test_the_facade_is_let_out_to_the_public_web_alone():
    [rule] = web_of("web-pictures")
    assert rule["ports"] == [{"port": 80}, {"port": 443}]
    blocks = [(ip_network(each["ipBlock"]["cidr"]), list(map(ip_network, each["ipBlock"]["except"]))) for each in rule["to"]]
    for cidr, left_out in blocks:
        assert all(each.subnet_of(cidr) for each in left_out)  # else Kubernetes refuses it

    def let_out(address: str) -> bool:
        judged = ip_address(address)
        return any(judged in cidr and not any(judged in each for each in left_out) for cidr, left_out in blocks)

    for address in ("1.1.1.1", "172.32.0.1", "2606:4700::1"):
        assert let_out(address), address
        assert is_public(ip_address(address)), address
    for address in (
        "10.0.0.1", "127.0.0.1", "169.254.169.254", "172.31.0.1", "192.168.0.1", "100.64.0.1", "192.0.0.192", "168.63.129.16",
        "224.0.0.1", "255.255.255.255", "::1", "fd00::1", "fe80::1", "fec0::1", "ff02::1", "2002:a00:1::",
    ):  # fmt: skip
        assert not let_out(address), address
        assert not is_public(ip_address(address)), address
    for address in ("203.0.113.7", "2a0f:1234::1"):  # the operator's own
        assert not let_out(address), address


def test_what_goes_out_is_not_limited_unless_it_is_asked_for():
    for values in ("production", "embedded"):
        for policy in of_kind(rendered(values), "NetworkPolicy").values():
            assert policy["spec"]["policyTypes"] == ["Ingress"]


def test_pictures_are_fetched_where_the_operator_says_so():
    def told(values: str) -> dict[str, str]:
        [container] = pods(rendered(values))["Deployment/lab-visionlab-api"]["containers"]
        return {each["name"]: each.get("value") for each in container["env"] if each["name"].startswith("VISIONLAB_FETCH")}

    assert told("production") == {"VISIONLAB_FETCH_PICTURES": "off"}
    on = told("web-pictures")
    assert on == {"VISIONLAB_FETCH_PICTURES": "on", "VISIONLAB_FETCH_NEVER_FROM": "203.0.113.0/24,2a0f:1234::/32"}
    configuration = ApiConfiguration(host="0.0.0.0", fetch_pictures="on", fetch_never_from=on["VISIONLAB_FETCH_NEVER_FROM"])
    assert not configuration.reach().allows(ip_address("2a0f:1234::1"), 443)


@pytest.mark.parametrize("values", [values for values in VALUES if values != "embedded"])
def test_a_policy_is_there_for_every_pod_that_stays(values):
    manifests = rendered(values)
    labels = {
        f"{each['kind']}/{each['metadata']['name']}": each["spec"]["template"]["metadata"]["labels"]
        for each in manifests
        if each["kind"] in ("Deployment", "StatefulSet")
    }
    labels |= {f"pool {pool}": {"serving.kserve.io/inferenceservice": f"lab-visionlab-{pool}"} for pool in POOLS}
    # Labels that our own code gives to Jobs: see `visionlab_training.runners.job_manifest.labels_of`.
    labels["Job/training"] = {
        "app.kubernetes.io/part-of": "visionlab",
        "app.kubernetes.io/instance": "lab-visionlab",
        "app.kubernetes.io/component": "training",
    }
    for name, of in labels.items():
        policies = [each for each in of_kind(manifests, "NetworkPolicy").values() if chooses(each["spec"]["podSelector"], of)]
        assert len(policies) == 1, name


def chooses(selector: dict, labels: dict) -> bool:
    plain = selector.get("matchLabels", {}).items() <= labels.items()
    return plain and all(labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", []))
