"""The second factor where a program signs in: a code of an authenticator app, or a recovery code, in the body."""

from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP

from releve.control.accounts.models import Account


class FactorProblem(Exception):
    """The password alone does not sign in."""

    code = "otp_required"


class FactorRequired(FactorProblem):
    """This account has a second factor; send its code, or a recovery code, as `otp`."""


class WrongFactor(FactorProblem):
    """The code in `otp` is wrong, or was used already."""

    code = "otp_invalid"


def is_needed(account: Account) -> bool:
    """Whether the account has a second factor; recovery codes alone are none."""
    factors = Authenticator.objects.filter(user=account)
    return bool(factors.exclude(type=Authenticator.Type.RECOVERY_CODES).exists())


def is_right(account: Account, code: str) -> bool:
    """Whether a code is the authenticator's of this moment, or an unused recovery code, which is spent by this."""
    for factor in Authenticator.objects.filter(user=account):
        if factor.type == Authenticator.Type.TOTP and TOTP(factor).validate_code(code):
            return True
        if factor.type == Authenticator.Type.RECOVERY_CODES and RecoveryCodes(factor).validate_code(code):
            return True
    return False
