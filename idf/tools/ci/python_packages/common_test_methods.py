"""What the test scripts of ESP-IDF's examples ask of their surroundings."""
# SPDX-License-Identifier: Apache-2.0
import os
import socket


def get_env_config_variable(env_name, key, default=None):
    """Of the place where tests run: the variable ENV_NAME_KEY in capitals; a network's name and password are any words."""
    return os.environ.get(f"{env_name}_{key}".upper(), default or key)


def get_host_ip4_by_dest_ip(dest_ip=""):
    """The address of this machine that a device with `dest_ip` reaches. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((dest_ip or "127.0.0.1", 9))
        return s.getsockname()[0]


def get_host_ip_by_interface(interface_name="", ip_type=socket.AF_INET):
    """Of the interface that leads out of this machine; of loopback where none does."""
    try:
        return get_host_ip4_by_dest_ip("192.0.2.1")
    except OSError:
        return "127.0.0.1"


get_my_ip4_by_dest_ip = get_host_ip4_by_dest_ip
