// SPDX-License-Identifier: MIT
package hudson.model;

import hudson.model.queue.ScheduleResult;
import java.util.List;

public class Queue extends ResourceController implements Saveable {
    public void save() {
        throw new UnsupportedOperationException();
    }

    public ScheduleResult schedule2(Queue.Task task, int value, List<Action> list) {
        throw new UnsupportedOperationException();
    }

    public ScheduleResult schedule2(Queue.Task task, int value, Action[] actions) {
        throw new UnsupportedOperationException();
    }

    public Queue.Item getItem(long value) {
        throw new UnsupportedOperationException();
    }

    public static Queue getInstance() {
        throw new UnsupportedOperationException();
    }

    Queue() {
        throw new UnsupportedOperationException();
    }

    public static abstract class Item extends Actionable {
        public long getId() {
            throw new UnsupportedOperationException();
        }

        public String getUrl() {
            throw new UnsupportedOperationException();
        }

        Item() {
            throw new UnsupportedOperationException();
        }
    }

    public interface QueueAction extends Action {
        boolean shouldSchedule(List<Action> list);
    }

    public interface Task extends ModelObject {
    }

    public interface Executable extends Runnable {
    }
}
