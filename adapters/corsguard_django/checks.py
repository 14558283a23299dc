TAG = "corsguard"


def check_configuration(app_configs, **_):
    return []
