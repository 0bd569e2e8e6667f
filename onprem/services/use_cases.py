"""All that the server can do, as one bundle that the API is built on."""

import msgspec

from onprem.services.health import Health
from onprem.services.jobs import Jobs
from onprem.services.keys import Keys
from onprem.services.submit import Submission
from onprem.services.uploads import Uploads


class UseCases(msgspec.Struct, frozen=True):
    keys: Keys
    uploads: Uploads
    submission: Submission
    jobs: Jobs
    health: Health
