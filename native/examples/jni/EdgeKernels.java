import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** A lexicon for an Android or desktop app: the C library behind four native methods (edge_kernels_jni.c). */
public final class EdgeKernels implements AutoCloseable {
    static {
        System.loadLibrary("edge_kernels_jni");
    }

    /** A word found in a text: text.substring(start, end), and the value stored with it. */
    public static final class Match {
        public final int start, end, value;

        Match(int start, int end, int value) {
            this.start = start;
            this.end = end;
            this.value = value;
        }
    }

    private final ByteBuffer stored; // the trie lies in here; kept from the garbage collector
    private long handle;

    /** Opens a stored trie in place: a direct buffer, such as a FileChannel's map. */
    public EdgeKernels(ByteBuffer stored) {
        this.stored = stored;
        this.handle = open(stored);
    }

    /** All words at all positions, by start, then by end; positions count UTF-16 units, as String does. */
    public List<Match> matches(String text) {
        if (handle == 0) throw new IllegalStateException("closed");
        int[] rows = matches(handle, text);
        List<Match> result = new ArrayList<>(rows.length / 3);
        for (int i = 0; i < rows.length; i += 3) result.add(new Match(rows[i], rows[i + 1], rows[i + 2]));
        return result;
    }

    @Override
    public void close() {
        if (handle != 0) close(handle);
        handle = 0;
    }

    /** The stored form of a trie of these words, numbered in this order. */
    public static native byte[] build(String[] words);

    private static native long open(ByteBuffer stored);

    private static native int[] matches(long handle, String text);

    private static native void close(long handle);

    public static void main(String[] arguments) {
        byte[] bytes = build(new String[] {"中国", "中国人", "国人", "\uD83D\uDE00!"});
        ByteBuffer stored = ByteBuffer.allocateDirect(bytes.length).put(bytes);
        String text = "中国人说\uD83D\uDE00!";
        StringBuilder out = new StringBuilder();
        try (EdgeKernels lexicon = new EdgeKernels(stored)) {
            for (Match m : lexicon.matches(text)) {
                out.append(text, m.start, m.end).append(' ').append(m.start).append(' ').append(m.value).append('\n');
            }
        }
        stored.put(100, (byte) ~stored.get(100));
        try {
            new EdgeKernels(stored).close();
            out.append("damage was not noticed\n");
        } catch (IllegalArgumentException e) {
            out.append(e.getMessage()).append('\n');
        }
        System.out.write(out.toString().getBytes(StandardCharsets.UTF_8), 0, out.toString().getBytes(StandardCharsets.UTF_8).length);
        System.out.flush();
    }
}
