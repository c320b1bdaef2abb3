"""Why the sandbox does not do something, in words for the person who asked."""


class SandboxProblem(Exception):
    """A request that is not carried out: HTTP status, code and title of the kind, and a sentence that says why."""

    status = 400
    code = "invalid_request"
    title = "The request is not valid"

    @property
    def detail(self) -> str:
        """The reason, and what to do."""
        return str(self)


class InvalidParameter(SandboxProblem):
    """A parameter that the action does not have, or a value that it does not take."""

    status = 422
    code = "invalid_parameter"
    title = "A parameter is not valid"


class NotPossible(SandboxProblem):
    """The firm has nothing with which the action could be done."""

    status = 409
    code = "not_possible"
    title = "This cannot be done with the firm as it is"


class UnknownAction(SandboxProblem):
    """There is no such action."""

    status = 404
    code = "unknown_action"
    title = "There is no such action"


class ForeignRequest(SandboxProblem):
    """A request that a page of another site may have sent."""

    status = 403
    code = "foreign_request"
    title = "The request did not come from this page or from a program"


class WrongMediaType(SandboxProblem):
    """A body that is neither JSON nor the form of the page."""

    status = 415
    code = "wrong_media_type"
    title = "The body has the wrong media type"


class BodyTooLarge(SandboxProblem):
    """A body that is longer than any request of the sandbox."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"
