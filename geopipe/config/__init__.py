"""Configuration: what a run reads, what it is told and what it assumes."""

from geopipe.config.delivery import DeliveryOptions, DeliverySpec, Mode, Role
from geopipe.config.nightly import InboxSpec, MailSpec, NightlySpec, NotifySpec, WebhookSpec
from geopipe.config.run import LAYERS, Config, PlacesSpec, load_config
from geopipe.config.vocabulary import Vocabulary, load_vocabulary

__all__ = [
    "LAYERS",
    "Config",
    "DeliveryOptions",
    "DeliverySpec",
    "InboxSpec",
    "MailSpec",
    "Mode",
    "NightlySpec",
    "NotifySpec",
    "PlacesSpec",
    "Role",
    "Vocabulary",
    "WebhookSpec",
    "load_config",
    "load_vocabulary",
]
