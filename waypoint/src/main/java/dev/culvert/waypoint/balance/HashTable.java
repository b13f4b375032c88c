package dev.culvert.waypoint.balance;

import java.util.Arrays;
import java.util.List;

/// Which of some members a hash belongs to, so that few hashes move when members come and go. Immutable.
interface HashTable {
    int member(long hash);

    /// Points on a ring, each member's in proportion to its weight; about `minimum` of them, at least one a member.
    /// @param names of at least one member
    static HashTable ring(List<String> names, double[] weights, int minimum) {
        var total = Arrays.stream(weights).sum();
        var points = new long[names.size()][];
        var count = 0;
        for (var i = 0; i < names.size(); i++) {
            points[i] = new long[Math.max(1, (int) Math.ceil(minimum * weights[i] / total))];
            for (var k = 0; k < points[i].length; k++) {
                points[i][k] = XxHash.of(names.get(i) + "_" + k);
            }
            count += points[i].length;
        }
        var all = new long[count][2];
        var at = 0;
        for (var i = 0; i < points.length; i++) {
            for (var point : points[i]) {
                all[at][0] = point;
                all[at++][1] = i;
            }
        }
        Arrays.sort(all, (one, other) -> Long.compareUnsigned(one[0], other[0]));
        var hashes = new long[count];
        var members = new int[count];
        for (var i = 0; i < count; i++) {
            hashes[i] = all[i][0];
            members[i] = (int) all[i][1];
        }
        return hash -> members[next(hashes, hash)];
    }

    /// The first point that is not before the hash; behind the last comes the first.
    private static int next(long[] hashes, long hash) {
        var low = 0;
        var high = hashes.length;
        while (low < high) {
            var middle = (low + high) >>> 1;
            if (Long.compareUnsigned(hashes[middle], hash) < 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low == hashes.length ? 0 : low;
    }

    /// Maglev's table ("Maglev: A Fast and Reliable Software Network Load Balancer", §3.4), weighted as in Envoy.
    /// @param size a prime larger than the number of members
    static HashTable maglev(List<String> names, double[] weights, int size) {
        var table = new int[size];
        Arrays.fill(table, -1);
        var count = names.size();
        var offsets = new long[count];
        var skips = new long[count];
        for (var i = 0; i < count; i++) {
            offsets[i] = Long.remainderUnsigned(XxHash.of(names.get(i)), size);
            skips[i] = Long.remainderUnsigned(XxHash.of(names.get(i) + "#skip"), size - 1) + 1;
        }
        var most = Arrays.stream(weights).max().orElse(1);
        var next = new long[count];
        var credit = new double[count];
        for (var filled = 0; filled < size; ) {
            for (var i = 0; i < count && filled < size; i++) {
                credit[i] += weights[i] / most;
                if (credit[i] < 1) {
                    continue;
                }
                credit[i]--;
                int place;
                do {
                    place = (int) ((offsets[i] + skips[i] * next[i]++) % size);
                } while (table[place] >= 0);
                table[place] = i;
                filled++;
            }
        }
        return hash -> table[(int) Long.remainderUnsigned(hash, size)];
    }

    /// The least prime that is not less.
    static int prime(int least) {
        var candidate = Math.max(2, least);
        while (!isPrime(candidate)) {
            candidate++;
        }
        return candidate;
    }

    private static boolean isPrime(int number) {
        for (var i = 2; (long) i * i <= number; i++) {
            if (number % i == 0) {
                return false;
            }
        }
        return number > 1;
    }
}
