"""Two accounts on one service: the trouble of one is not the trouble of the other [T2]."""

from app.simulator.faults.faults import Fault
from tests.support.world import World


async def test_an_incomplete_pull_of_one_account_does_not_delay_another(pulled: World):
    # I4: the newest run of the service is the failed one
    await pulled.create_account("other")
    pulled.simulator.faults.add(Fault("status", path="matters", value="400", times=99))
    await pulled.connect("u_ann", 501, "other")
    (failed,) = await pulled.settled("other")
    assert failed["status"] == "failed"
    pulled.simulator.faults.clear()
    rederived = await pulled.choose({"tags": {"location": {"city": True}}})
    assert rederived is not None
    assert (rederived["status"], rederived["problems"]) == ("succeeded", [])
