from phosphene.experiment.restoration.plan import Restoring


def test_the_last_system_is_given_away(plan):
    assert plan.main.name == "CNN-LSTM"


def test_train_steps_restore(plan, pictures):
    step = plan.systems[0].make(pictures, lr=1e-3, seed=0, n_steps=1)
    assert isinstance(step, Restoring)
    assert "network" in step.parts
